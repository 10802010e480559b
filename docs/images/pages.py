"""Draw the figures of pages anew: run the Python blocks of each page and keep the figures that it saves.

python docs/images/pages.py docs/tutorials/first_population.md ...
"""

import contextlib
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent

for page in sys.argv[1:]:
    blocks = re.findall(r"```python\n(.*?)```", Path(page).read_text(), flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        names: dict = {"__name__": "__main__"}
        for block in blocks:
            exec(compile(block, page, "exec"), names)
        for figure in Path(folder).glob("*.png"):
            Image.open(figure).convert("RGB").quantize(128).save(IMAGES / figure.name, optimize=True)
            print("drew", IMAGES / figure.name)
