"""What goes with every page and every part of one: it loads from this server alone, and nobody shows it in a frame."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images};"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_headers(images: str = "") -> dict[str, str]:
    """`images`: another source of images than this server, such as "data:"."""
    return {
        "Content-Security-Policy": _POLICY.format(images=f" {images}" if images else ""),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
