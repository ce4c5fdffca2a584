"""A distribution as a small SVG: every sample a dot, the median a line, the target a dashed one."""
import html

from harness.figure import number

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _AXIS = 640, 160, 24, 24, 104


def svg(figure):
    low, high = _range(figure)

    def x(value):
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
             f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
             _text(_LEFT, 18, f"{figure.name} ({figure.unit}, {figure.where}, n={len(figure.samples)})"),
             _line(_LEFT, _AXIS, _WIDTH - _RIGHT, _AXIS, "black")]
    for tick in range(5):
        value = low + (high - low) * tick / 4
        parts += [_line(x(value), _AXIS, x(value), _AXIS + 5, "black"),
                  _text(x(value), _AXIS + 19, number(value), "middle")]
    for index, value in enumerate(figure.samples):
        # Spread by order of measurement: a drift in time shows as a slope.
        y = 36 + 56 * (index + 0.5) / len(figure.samples)
        parts.append(f'<circle cx="{x(value):.1f}" cy="{y:.1f}" r="3" fill="#2060a0" fill-opacity="0.6"/>')
    parts += _mark(x(figure.median), f"median {number(figure.median)}", "#c03020", "")
    if figure.limit is not None:
        parts += _mark(x(figure.limit), f"target {number(figure.limit)}", "#207030", ' stroke-dasharray="5 4"')
    return "\n".join(parts + ["</svg>", ""])


def _range(figure):
    values = figure.samples + ([figure.limit] if figure.limit is not None else [])
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1
    return low - margin, high + margin


def _text(x, y, text, anchor="start", colour="black"):
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{colour}">{html.escape(text)}</text>'


def _line(x1, y1, x2, y2, colour, style=""):
    return f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" stroke="{colour}"{style}/>'


def _mark(x, text, colour, style):
    """The median's label stands on the lowest line, the target's above it."""
    anchor = "start" if x < _WIDTH / 2 else "end"
    return [_line(x, 28, x, _AXIS, colour, style), _text(x, _HEIGHT - (6 if style else 20) + 2, text, anchor, colour)]
