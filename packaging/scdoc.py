# SPDX-License-Identifier: Apache-2.0
"""Text as scdoc wants it."""
import re


def escape(text):
    """Text that means itself, wherever in a line it stands."""
    text = re.sub(r"([\\*_`])", r"\\\1", text)
    text = text.replace("++", r"\++")
    return re.sub(r"^([#\-.;|:\[\] ])", r"\\\1", text, flags=re.M)


def inline(text):
    """Markdown's `code`, **bold** and [links](of them) within a paragraph."""
    pieces = re.split(r"(`[^`]+`|\*\*.+?\*\*|\[[^\]]+\]\([^)]+\))", text)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece):
    if piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
        return f"*{escape(piece[1:-1])}*"
    if piece.startswith("**") and piece.endswith("**") and len(piece) > 4:
        return f"*{escape(piece[2:-2])}*"
    link = re.fullmatch(r"\[([^\]]+)\]\(([^)]+)\)", piece)
    if link:
        return escape(link.group(1))
    return re.sub(r"([\\*_`])", r"\\\1", piece).replace("++", r"\++")
