"""What ``scripts/docs`` runs."""

from . import FOLDER, PAGES


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        page = FOLDER / name
        page.write_text(make(), encoding="utf-8")
        print(f"docs: wrote {page}")


if __name__ == "__main__":
    main()
