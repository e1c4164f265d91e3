"""Random blocks of each format and what the `gguf` package (0.19.0) reads them as.

`NAME.bin`: 2 rows of 512 weights as a GGUF tensor holds them, then the same weights as little-endian f32.
Usage: python make.py (in this folder)
"""

import gguf
import numpy as np

NAMES = "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS".split()
# Where a block's f16 factors lie, in bytes.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}
ROWS, COLS = 2, 512
random = np.random.default_rng(20)

for name in NAMES:
    kind = gguf.GGMLQuantizationType[name]
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    if weights == 1:
        values = random.normal(0, 1, (ROWS, COLS)).astype(np.float32)
        data = gguf.quants.quantize(values, kind).view(np.uint8).reshape(ROWS, -1)
    else:
        blocks = random.integers(0, 256, (ROWS * COLS // weights, size), dtype=np.uint8)
        for at in HALVES[name]:
            factors = random.normal(0, 0.05, len(blocks)).astype(np.float16)
            factors[1] = np.float16(3e-7)  # a subnormal
            blocks[:, at:at + 2] = factors[:, None].view(np.uint8)
        blocks[-1] = 0
        data = blocks.reshape(ROWS, -1)
    values = gguf.quants.dequantize(data if weights > 1 or name == "BF16" else data.view({"F32": "<f4", "F16": "<f2"}[name]), kind)
    with open(f"{name.lower()}.bin", "wb") as file:
        file.write(data.tobytes())
        file.write(values.astype("<f4").tobytes())
