"""Small static programs for images without anything else."""

import subprocess
import tempfile
from pathlib import Path

from tests.cluster import images
from tests.cluster.home import Home


def image(name: str, home: Home) -> str:
    """Compile `NAME.c` and make it an image of one file; gives its reference by digest."""
    source = Path(__file__).parent / f"{name}.c"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, name)
        command = ["gcc", "-static", "-Os", "-Wall", "-Werror", "-o", str(program), str(source)]
        subprocess.run(command, check=True)
        return images.scratch(name, program, home=home)
