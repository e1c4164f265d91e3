package dev.kinglet

/** One step of an answer. A flow of events ends with exactly one [Done], or fails with a [KingletException]. */
public sealed interface Event {
    /** More text: whole characters, never a part of one. */
    public data class Text(
        /** To be added. */
        public val text: String,
    ) : Event

    /** A GPU was found out: some of the text given out was wrong and goes. What is right follows. */
    public data class TakeBack(
        /** So many code points at the end; see [CharSequence.takenBack]. */
        public val codePoints: Int,
    ) : Event

    /** A device was given up, and another goes on. */
    public data class Switched(
        /** The kind of the device that failed, or that may not work now. */
        public val from: String,
        /** The kind of the device that goes on. */
        public val to: String,
        /** What was wrong. */
        public val why: String,
    ) : Event

    /** The phone is warm or saves battery, or is so no longer: the work goes on at another speed. */
    public data class Throttled(
        /** Why it is slower; [ThrottleReason.NONE] once it is not any more. */
        public val why: ThrottleReason,
    ) : Event

    /** Another part of a long text has begun. */
    public data class Progress(
        /** The part, from 1. */
        public val part: Int,
        /** Parts of this round. */
        public val parts: Int,
        /** From 0: summaries of parts are summarised in the next round. */
        public val round: Int,
    ) : Event

    /** The end. */
    public data class Done(
        /** The whole text. A task's is trimmed. */
        public val text: String,
        /** One for each app, for a digest alone. */
        public val groups: List<DigestGroup>,
        /** What it took. */
        public val stats: Stats,
    ) : Event
}

/** What one app had to say, in a digest. */
public data class DigestGroup(
    /** The app. */
    public val app: String,
    /** Its notifications. */
    public val count: Int,
    /** One sentence of them. */
    public val summary: String,
)
