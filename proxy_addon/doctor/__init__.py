"""`allowance doctor`: checks what the proxy needs on this machine. It changes nothing."""
