"""`allowance doctor`: what stands between this machine and a proxy that runs well. Looks, and changes nothing."""
