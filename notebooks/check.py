"""Checks the notebooks: each .ipynb is its .py, has no outputs, runs, and draws what it says it draws.

`check.py FOLDER` leaves the executed notebooks and their pictures in that folder.
"""

import base64
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
PAIRS = ["train_on_your_log", "read_the_frontier"]
TIMEOUT_S = 600


def content(notebook):
    """What a pair shares; cell ids are drawn at random."""
    cells = [(cell.cell_type, cell.metadata, cell.source) for cell in notebook.cells]
    return notebook.metadata.get("kernelspec"), cells


def check_pair(name):
    """The committed notebook, if it is its script and nothing else."""
    notebook = nbformat.read(HERE / f"{name}.ipynb", as_version=4)
    if content(notebook) != content(jupytext.read(HERE / f"{name}.py")):
        sys.exit(f"{name}.ipynb differs from {name}.py; hint: jupytext --sync notebooks/{name}.py")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if any(cell.outputs or cell.execution_count for cell in code):
        sys.exit(f"{name}.ipynb has outputs; hint: clear them before you commit")
    return notebook


def execute(name, notebook, folder):
    """Runs a notebook as it would be opened, and writes what came of it; the first error ends it."""
    place = {"metadata": {"path": HERE}}
    NotebookClient(notebook, kernel_name="python3", timeout=TIMEOUT_S, resources=place).execute()
    nbformat.write(notebook, folder / f"{name}.ipynb")
    pictures = 0
    for cell in notebook.cells:
        if cell.cell_type != "code" or "plt.show()" not in cell.source:
            continue
        shown = [output.data for output in cell.outputs if output.output_type == "display_data"]
        if not any("image/png" in data for data in shown):
            sys.exit(f"{name}: no picture came of the cell\n{cell.source}")
        for data in shown:
            pictures += 1
            picture = folder / f"{name}_{pictures}.png"
            picture.write_bytes(base64.b64decode(data["image/png"]))
    if pictures == 0:
        sys.exit(f"{name}: no picture")
    print(f"{name}: {pictures} pictures")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = {name: check_pair(name) for name in PAIRS}
    for name, notebook in notebooks.items():
        execute(name, notebook, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
