package dev.kinglet

/** How far a model is on its way into memory. */
public sealed interface LoadState {
    /** It is being loaded. */
    public data class Loading(
        /** 0 to 1. It may begin again, for [Device.AUTO] tries one device after the other. */
        public val fraction: Float,
        /** What is being done. */
        public val what: LoadStep,
    ) : LoadState

    /** It is loaded: the last state. Whoever takes [kinglet] closes it. */
    public data class Ready(
        /** The model. */
        public val kinglet: Kinglet,
    ) : LoadState
}

/** What is being done while a model is loaded. */
public enum class LoadStep {
    /** The file's header is read. */
    OPENING,

    /** Weights are brought into the device's layout. */
    WEIGHTS,
}
