"""Templates with everything folded in that no request changes: texts without values, the brand, addresses of assets.

A page has thirty such expressions and half as many that differ from one answer to the next. Folded when a template is
compiled, they cost nothing when it is rendered; included templates become part of the one that includes them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer


class FoldingEnvironment(Environment):
    """An environment whose templates are compiled with constants in place of expressions.

    Args:
        constants: names whose value, and whose attributes, never change.
        functions: functions whose answer to constant positional arguments never changes.
        options: what `Environment` takes.
    """

    def __init__(
        self, *, constants: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]], **options: Any
    ) -> None:
        super().__init__(**options)
        self.globals.update(constants)
        self.globals.update(functions)
        self._constants, self._functions = constants, functions

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """Compile a syntax tree: Jinja's last step, and the only one that sees the whole tree."""
        folded = _Folding(self, self._constants, self._functions).visit(source)
        return super()._generate(folded, name, filename, defer_init)


class _Folding(NodeTransformer):
    def __init__(
        self, environment: Environment, constants: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._environment, self._constants, self._functions = environment, constants, functions

    def visit_Call(self, call: nodes.Call) -> nodes.Expr:  # noqa: N802 - Jinja's name for it
        self.generic_visit(call)
        if not isinstance(call.node, nodes.Name) or call.node.name not in self._functions:
            return call
        if call.kwargs or call.dyn_args or call.dyn_kwargs:
            return call
        arguments = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
        if len(arguments) < len(call.args):
            return call
        return nodes.Const(self._functions[call.node.name](*arguments), lineno=call.lineno)

    def visit_Getattr(self, found: nodes.Getattr) -> nodes.Expr:  # noqa: N802
        if isinstance(found.node, nodes.Name) and found.node.name in self._constants:
            return nodes.Const(getattr(self._constants[found.node.name], found.attr), lineno=found.lineno)
        self.generic_visit(found)
        return found

    def visit_Name(self, name: nodes.Name) -> nodes.Expr:  # noqa: N802
        if name.ctx == "load" and isinstance(self._constants.get(name.name), str):
            return nodes.Const(self._constants[name.name], lineno=name.lineno)
        return name

    def visit_Include(self, include: nodes.Include) -> nodes.Node:  # noqa: N802
        """Put the included template in the place of its name; what it sets stays inside."""
        assert isinstance(include.template, nodes.Const)
        assert self._environment.loader is not None
        source, _, _ = self._environment.loader.get_source(self._environment, include.template.value)
        included = self._environment.parse(source, include.template.value)
        return nodes.Scope([self.visit(node) for node in included.body], lineno=include.lineno)
