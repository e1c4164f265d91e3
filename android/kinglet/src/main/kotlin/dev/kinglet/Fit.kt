package dev.kinglet

/** Whether a model fits into what a phone has left. */
public data class Fit(
    /** What it takes. */
    public val plan: MemoryPlan,
    /** Bytes that are left before the system begins to end apps; [Long.MAX_VALUE] where it does not tell. */
    public val available: Long,
    /** Why it does not fit, and what can be done, for people; null where it does. */
    public val reason: String?,
) {
    /** Whether it fits. */
    public val fits: Boolean get() = reason == null
}
