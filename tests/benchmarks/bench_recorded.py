"""How recorded traffic is judged: `python tests/benchmarks/bench_recorded.py`."""

from __future__ import annotations

from tests import recorded


def main() -> None:
    """Print the shares."""
    if not recorded.DATA.exists():
        print(f"skipped: {recorded.WHY_SKIPPED}")
        return
    found = recorded.figures()
    print(
        f"third-party rows judged visit or media  {found.third_share:7.2%}  of {found.rows['third']:,} (at most 1 %)"
    )
    print(
        f"first-party documents judged visits     {found.document_share:7.2%}  of {found.documents:,} (at least 99 %)"
    )
    for relation in ("first", "cross", "outbound"):
        print(
            f"{relation:9} rows judged visit or media      {found.counted[relation]:5,} of {found.rows[relation]:,}"
        )
    for url, evidence in found.mistaken:
        print(f"  {evidence}: {url.partition('?')[0]}")


if __name__ == "__main__":
    main()
