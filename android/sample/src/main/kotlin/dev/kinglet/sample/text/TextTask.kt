package dev.kinglet.sample.text

import androidx.annotation.StringRes
import dev.kinglet.SummaryStyle
import dev.kinglet.Tone
import dev.kinglet.sample.R

/** What can be done with a text. */
enum class TextTask(@get:StringRes val label: Int) {
    SUMMARIZE(R.string.task_summarize),
    REWRITE(R.string.task_rewrite),
    EXTRACT(R.string.task_extract),
    CLASSIFY(R.string.task_classify),
    REPLY(R.string.task_reply),
}

/** How a summary looks. */
enum class StyleChoice(@get:StringRes val label: Int, val style: SummaryStyle) {
    SENTENCE(R.string.style_sentence, SummaryStyle.SENTENCE),
    BULLETS(R.string.style_bullets, SummaryStyle.BULLETS),
    HEADLINE(R.string.style_headline, SummaryStyle.HEADLINE),
    PARAGRAPH(R.string.style_paragraph, SummaryStyle.DIGEST),
}

/** How a text is to sound. */
enum class ToneChoice(@get:StringRes val label: Int, val tone: Tone) {
    FRIENDLY(R.string.tone_friendly, Tone.Friendly),
    FORMAL(R.string.tone_formal, Tone.Formal),
    SHORTER(R.string.tone_shorter, Tone.Shorter),
    PROOFREAD(R.string.tone_proofread, Tone.Proofread),
}
