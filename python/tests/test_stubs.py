"""The type stubs agree with the module: the same names, attributes and arguments."""

import ast
import pathlib
import re
import unittest

import hone
from hone import _hone


def stub() -> ast.Module:
    return ast.parse((pathlib.Path(hone.__file__).parent / "_hone.pyi").read_text(encoding="utf-8"))


def names_of(members) -> set[str]:
    """What a module's or class' body defines."""
    names = set()
    for node in members:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
    return names


def public(names) -> set[str]:
    return {name for name in names if not name.startswith("_")} | {"__call__", "__version__"} & set(names)


def arguments_of(function) -> list[str]:
    """The names in a nanobind function's signature, the first line of its docstring."""
    inside = re.fullmatch(r"[^(]*\((.*)\) -> .*", function.__doc__.splitlines()[0]).group(1)
    return [name for name in re.findall(r"(?:^|, )([a-z_]+)(?=[:,=]|$)", inside) if name != "self"]


class Stubs(unittest.TestCase):
    def test_the_module_holds_what_the_stubs_say(self):
        self.assertEqual(names_of(stub().body), public(dir(_hone)))

    def test_classes(self):
        for node in stub().body:
            if isinstance(node, ast.ClassDef):
                self.assertEqual(names_of(node.body), public(vars(getattr(_hone, node.name))), node.name)

    def test_arguments(self):
        def check(owner, node):
            if isinstance(node, ast.FunctionDef) and not node.decorator_list and node.name != "__call__":
                wanted = [argument.arg for argument in node.args.args if argument.arg != "self"]
                self.assertEqual(arguments_of(getattr(owner, node.name)), wanted, node.name)

        for node in stub().body:
            check(_hone, node)
            for member in getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []:
                check(getattr(_hone, node.name), member)

    def test_the_package_lists_what_it_offers(self):
        for name in hone.__all__:
            self.assertTrue(hasattr(hone, name), name)


if __name__ == "__main__":
    unittest.main()
