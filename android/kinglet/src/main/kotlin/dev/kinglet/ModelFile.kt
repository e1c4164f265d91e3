package dev.kinglet

import java.io.File

/**
 * A GGUF model on this device.
 *
 * It must be a real file, in `filesDir` for instance: its weights are mapped into memory, which assets and content
 * providers do not allow.
 */
public data class ModelFile(
    /** Where it is. */
    public val file: File,
)
