package dev.kinglet

/** What an engine does. */
public enum class EngineState {
    /** Nothing. */
    IDLE,

    /** It runs the model, or something waits for it. */
    WORKING,

    /** Its memory was given back to the system, which asked for it; the next call loads the model again. */
    UNLOADED,

    /** It was closed: its memory is free, and every call fails with [KingletException.Closed]. */
    CLOSED,
}
