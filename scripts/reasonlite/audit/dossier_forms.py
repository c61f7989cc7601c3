"""A dossier as Markdown and as a page of its own."""

from __future__ import annotations

from html import escape

from reasonlite.audit.dossier import Dossier


def markdown(dossier: Dossier) -> str:
    lines = [f"# {dossier.title}"]
    for section in dossier.sections:
        lines += ["", f"## {section.title}", ""]
        lines += [f"- {line}" for line in section.lines]
        for header, body in section.tables:
            lines += ["", f"| {' | '.join(header)} |", "| " + " | ".join("---" for _ in header) + " |"]
            lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in body]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def html(dossier: Dossier) -> str:
    """The same as a page of its own."""
    parts = [f"<h1>{escape(dossier.title)}</h1>"]
    for section in dossier.sections:
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(line.replace('`', ''))}</p>" for line in section.lines]
        for header, body in section.tables:
            parts.append("<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>")
            parts += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body]
            parts.append("</table>")
    style = (
        "body{font:14px sans-serif;margin:2em;max-width:75em}h2{font-size:1em;background:#eee;padding:.4em}"
        "table{border-collapse:collapse}th,td{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left;"
        "vertical-align:top;overflow-wrap:anywhere}"
    )
    head = f'<head><meta charset="utf-8"><title>{escape(dossier.title)}</title><style>{style}</style></head>'
    return "\n".join(["<!DOCTYPE html>", '<html lang="en">', head, "<body>", *parts, "</body></html>", ""])
