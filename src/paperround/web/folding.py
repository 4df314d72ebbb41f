"""Templates compiled so that a page of sixty papers is soon made.

What one says in the same words each time is looked up when it is compiled, and stands in its code
from then on: translations without values, addresses of static files. A page would look for the same
words some hundred times otherwise.

What is shown is escaped by `shown`: the same characters as Jinja does, without wrapping each piece
as safe text, for a page is joined from pieces that are texts.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

Known = Mapping[str, Callable[[str], str]]
"""Functions of one text that always give back the same for it, by what templates call them."""


def fold(environment: Environment, known: Known) -> None:
    """Have templates of `environment` compiled so, their calls of `known` made once. What they
    give back is escaped, or marked as safe, as it would be in a page."""
    folder = _Folder(known)

    class Folding(CodeGenerator):
        def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
            super().visit_Template(folder.visit(node), frame)

        def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
            if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src:
                super()._output_child_pre(node, frame, finalize)
            else:
                self.write("environment.shown(")

    environment.extend(shown=shown)
    environment.code_generator_class = Folding


def shown(value: object) -> str:
    """A value as it stands in a page: escaped, unless it is safe already."""
    if type(value) is str:
        return (
            value.replace("&", "&amp;")
            .replace(">", "&gt;")
            .replace("<", "&lt;")
            .replace("'", "&#39;")
            .replace('"', "&#34;")
        )
    return value if type(value) is Markup else escape(value)


class _Folder(NodeTransformer):
    def __init__(self, known: Known) -> None:
        self._known = known

    def visit_Call(self, node: nodes.Call, *_: Any, **__: Any) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        has_more = node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None
        if name not in self._known or has_more or len(node.args) != 1:
            return node
        [text] = node.args
        if not isinstance(text, nodes.Const) or not isinstance(text.value, str):
            return node
        return nodes.Const(self._known[name](text.value), lineno=node.lineno)
