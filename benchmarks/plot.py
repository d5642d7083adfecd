"""The figures as a drawing, from what `report.as_json` gives."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDTH, BAR, GAP, LABEL = 760, 18, 10, 190
PANEL_HEIGHT, MARGIN = 240, 24
COLOURS = ("#2563eb", "#d97706", "#059669", "#be185d", "#7c3aed", "#475569")
FLOOR_COLOUR = "#94a3b8"

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#334155}.title{font-weight:600;font-size:14px}"
    "line{stroke:#cbd5e1}polyline{fill:none;stroke-width:2}"
)

Figures = Mapping[str, Any]
Lines = Mapping[str, Sequence[tuple[float, float]]]


def draw(figures: Figures) -> str:
    """An SVG: processor time a call, beside its floors; with growth, that time against size."""
    panels = [_bars(figures)]
    for key, title in (("growth", "users"), ("connections", "connections")):
        if figures[key]:
            panels.append(_curves(f"Server CPU a call against {title}, beside the hash", _by_name(figures[key])))
    height = sum(panel_height for _, panel_height in panels) + MARGIN * (len(panels) + 1)
    return "\n".join([*_opening(height), *_stacked(panels), "</svg>", ""])


def _opening(height: float) -> Iterable[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    yield "<title>What a call costs the server</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>'


def _stacked(panels: Iterable[tuple[str, float]]) -> Iterable[str]:
    top = float(MARGIN)
    for content, height in panels:
        yield f'<g transform="translate(0 {top:.0f})">{content}</g>'
        top += height + MARGIN


def _by_name(sizes: Mapping[Any, Mapping[str, Any]]) -> Lines:
    names = next(iter(sizes.values()))
    return {name: [(float(size), series[name]["cpu"]["median"]) for size, series in sizes.items()] for name in names}


# --- bars ------------------------------------------------------------------------------------------------


def _bars(figures: Figures) -> tuple[str, float]:
    """A bar for each operation that has floors; the grey part is theirs."""
    operations = {name: each for name, each in figures["operations"].items() if each["floor_cpu"] is not None}
    most = max(each["cpu"]["median"] for each in operations.values())
    scale = (WIDTH - LABEL - 110) / most
    parts = [_text(MARGIN, 0, "Server CPU a call, µs, beside the hash (grey: the floors)", "title")]
    for row, (name, each) in enumerate(operations.items()):
        parts.append(_bar(20 + row * (BAR + GAP), name, each["cpu"]["median"], each["floor_cpu"], scale))
    return "".join(parts), 20 + len(operations) * (BAR + GAP)


def _bar(top: float, name: str, cost: float, floor: float, scale: float) -> str:
    return (
        _text(LABEL - 8, top + 13, name, anchor="end")
        + f'<rect x="{LABEL}" y="{top}" width="{cost * scale:.1f}" height="{BAR}" fill="{COLOURS[0]}"/>'
        + f'<rect x="{LABEL}" y="{top}" width="{min(floor, cost) * scale:.1f}" height="{BAR}" fill="{FLOOR_COLOUR}"/>'
        + _text(LABEL + cost * scale + 6, top + 13, f"{cost:.0f} ({floor:.0f})")
    )


# --- curves ----------------------------------------------------------------------------------------------


def _curves(title: str, lines: Lines) -> tuple[str, float]:
    """Cost (from 0) against size (logarithmic)."""
    sizes = sorted({size for points in lines.values() for size, _ in points})
    most = max(cost for points in lines.values() for _, cost in points) * 1.1
    left, right, bottom = 60.0, WIDTH - 140.0, PANEL_HEIGHT - 20.0
    span = math.log10(sizes[-1] / sizes[0]) or 1.0

    def place(size: float, cost: float) -> tuple[float, float]:
        x = left + (right - left) * math.log10(size / sizes[0]) / span
        return x, bottom - (bottom - 20) * cost / most

    parts = [_text(MARGIN, 0, title, "title")]
    for tick in (0.0, most / 2, most):
        _, y = place(sizes[0], tick)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(_text(left - 6, y + 4, f"{tick:.0f} µs", anchor="end"))
    parts += [_text(place(size, 0)[0], bottom + 16, f"{size:,.0f}", anchor="middle") for size in sizes]
    # Names that would stand on each other are moved apart.
    lowest = math.inf
    by_end = sorted(lines.items(), key=lambda line: line[1][-1][1])
    for (name, points), colour in zip(by_end, COLOURS, strict=False):
        placed = [place(*point) for point in points]
        lowest = min(placed[-1][1] + 4, lowest - 13)
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{drawn}" stroke="{colour}"/>')
        parts.append(f'<g fill="{colour}">{_text(right + 8, lowest, name, colour=colour)}</g>')
    return "".join(parts), PANEL_HEIGHT


def _text(x: float, y: float, text: str, class_: str = "", *, anchor: str = "start", colour: str = "") -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{class_}" text-anchor="{anchor}"{style}>{html.escape(text)}</text>'
