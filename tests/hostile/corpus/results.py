"""Lies: forged reports, drafts and plans, words that a terminal would obey."""

import operator
import pickle

from tests.hostile.canaries import Canaries
from tests.hostile.corpus.registry import RUNS, WORK, Call, attack, fitted, scripts

scripts(
    before=WORK,
    forges_its_result="""
import json
open(d + '/draft', 'wb').write(b'\\x40' * 4096)
open(d + '/result.json', 'w').write(json.dumps({'plan': True, 'estimator': 'x' * 10**6}))
os._exit(0)
""",
    forges_a_deep_result="open(d + '/result.json', 'w').write('[' * 10**6); os._exit(0)",
    forges_a_huge_result="open(d + '/result.json', 'w').write('[' + '1,' * 9**7); os._exit(0)",
    forges_a_result_of_wrong_types="""
open(d + '/result.json', 'w').write('{"plan": [1], "estimator": {}, "sandbox": 3, '
    '"imports": {"a": 1}, "versions": [null, 4, {}], "fallback_because": 9, '
    '"signature": {"columns": 7}, "failed": ["x"]}')
os._exit(0)
""",
    forges_a_signature="""
open(d + '/result.json', 'w').write('{"estimator": "a.B", "fallback_because": "x", "signature": '
    '{"columns": [{"name": "\\\\u001b[2J", "kind": "number", "missing": 1}], '
    '"outputs": [], "named": 3}}')
os._exit(0)
""",
    forges_words_for_a_terminal="""
import json
evil = '\\x1b]0;owned\\x07\\x1b[31m\\u202egnp\\u0000\\r\\n' * 50
open(d + '/result.json', 'w').write(json.dumps({'failed': 'reason', 'reason': evil, 'advice': evil,
    'estimator': evil, 'imports': [evil] * 600, 'sandbox': [evil], 'versions': [evil]}))
os._exit(0)
""",
    forges_all_layers="""
import json
forged = {'plan': True, 'sandbox': ['every'], 'estimator': 'a.B'}
open(d + '/result.json', 'w').write(json.dumps(forged))
open(d + '/draft', 'wb').write(b'{}')
os._exit(0)
""",
    swaps_the_plan_afterwards="""
import threading, time
def later():
    while True:
        for name in ('plan', '../plan', '../verify/plan', 'draft'):
            try: open(os.path.join(d, name), 'wb').write(b'swapped')
            except OSError: pass
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()
raise ValueError('and so it ends')
""",
)

scripts(
    raises_words_for_a_terminal="raise ValueError('\\x1b[2J\\x1b]0;owned\\x07' * 100)",
    raises_a_class_with_such_a_name="raise type('\\x1b[31mE', (Exception,), {})('\\x9b2J')",
    raises_what_cannot_be_shown="""
class E(Exception):
    def __str__(self): raise SystemExit(0)
    __repr__ = __str__
raise E()
""",
    raises_a_megabyte="raise ValueError('x' * (1 << 24))",
    prints_words_for_a_terminal="""
print('\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\r\\b\\u202e'); raise SystemExit(1)
""",
    raises_system_exit="raise SystemExit(0)",
    exits="import os; os._exit(0)",
    pretends_that_it_was_killed="import os; os._exit(137)",
    aborts="import os; os.abort()",
    segfaults="import ctypes; ctypes.string_at(0)",
    crashes_by_bytecode="""
def f(): pass
f.__code__ = f.__code__.replace(co_code=bytes([100, 255] * 50), co_stacksize=1, co_consts=())
f()
""",
)


def _beside_a_model(source: str) -> bytes:
    """A good estimator, loaded together with code."""
    source = f"print({RUNS!r}, flush=True)\n{source}"
    return pickle.dumps(Call(operator.getitem, [fitted(), Call(exec, source)], 0))


@attack
def poisons_the_plan(c: Canaries) -> bytes:
    """Replaces the lowering by one that lies."""
    return _beside_a_model("""
import numpy as np
from controlplane.builder.lower import base
def node(self, e):
    name = self.tensor(np.full((3, 2), 2_000_000_000), 'i8')
    return {'op': 'tree_regressor', 'left': name, 'n_in': -1}
base.Draft.node = node
""")


@attack
def lies_about_its_plan(c: Canaries) -> bytes:
    """Replaces the child's own checks, and leaves a draft that only verify reads."""
    return _beside_a_model("""
import json, numpy as np
from controlplane.builder import child
from runtime import frames
def drafted(estimator):
    bad = {'graph': {'op': 'forest_regressor'}, 'tensors': ['t0'], 'signature': {
        'columns': [], 'outputs': [], 'named': False}}
    frame = frames.encode(bad, [np.zeros(3)])
    return len(frame).to_bytes(8, 'little') + frame * 2
child.drafted = drafted
""")


@attack
def leaves_a_draft_without_end(c: Canaries) -> bytes:
    """Claims tensors of many gigabytes in a draft of a few bytes."""
    return _beside_a_model("""
from controlplane.builder import child
child.drafted = lambda estimator: (1 << 62).to_bytes(8, 'little') + b'\\xff' * 64
""")


@attack
def hides_what_it_imported(c: Canaries) -> bytes:
    """Clears the record of its own imports; only the wording of a failure depends on it."""
    return _beside_a_model("""
import gc, joblib.numpy_pickle
find = joblib.numpy_pickle.NumpyUnpickler.find_class
for cell in find.__closure__ or ():
    if isinstance(cell.cell_contents, list): cell.cell_contents.clear()
open('/etc/passwd').read()
""")
