package dev.kinglet

/** What a summary looks like. */
public enum class SummaryStyle {
    /** One sentence. */
    SENTENCE,

    /** A few short lines, each with a dash. */
    BULLETS,

    /** A few words, as over an article. */
    HEADLINE,

    /** A short paragraph. */
    DIGEST,
}

/** How long a summary should be at most. */
public sealed interface SummaryLength {
    /** About so many words. */
    public data class Words(
        /** At least 1. */
        public val count: Int,
    ) : SummaryLength

    /** So many sentences, or lines where the style is bullets. */
    public data class Sentences(
        /** At least 1. */
        public val count: Int,
    ) : SummaryLength
}

/** How a text should sound. */
public sealed interface Tone {
    /** Warm. */
    public data object Friendly : Tone

    /** Polite and businesslike. */
    public data object Formal : Tone

    /** The same in fewer words. */
    public data object Shorter : Tone

    /** Only mistakes change. */
    public data object Proofread : Tone

    /** In the app's words: `more confident`, `like a pirate`. */
    public data class Custom(
        /** Not empty. */
        public val words: String,
    ) : Tone
}

/** A notification. */
public data class NotificationText @JvmOverloads constructor(
    /** The app's name. */
    public val app: String,
    /** Who or what it is from. */
    public val title: String,
    /** What it says. */
    public val text: String,
    /** When, in any form that sorts as text. */
    public val time: String = "",
)

/** A text's label. */
public data class Classification(
    /** The most probable label; none for an empty text. */
    public val label: String?,
    /** Each label with its probability, in the order given; they sum to 1. Empty for an empty text. */
    public val probabilities: Map<String, Double>,
    /** What it took. */
    public val stats: Stats,
)

/** What was found in a text. */
public data class Extraction(
    /** Each field asked for, in that order, with null where the text does not say. */
    public val fields: Map<String, String?>,
    /** What it took. */
    public val stats: Stats,
)

/** Suggested answers. */
public data class Suggestions(
    /** Three different ones; none for an empty message. */
    public val suggestions: List<String>,
    /** What it took. */
    public val stats: Stats,
)
