@file:JvmName("Texts")

package dev.kinglet

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow

/** The answer as it grows, each time whole: what a screen shows. The last one is that of [Event.Done]. */
public fun Flow<Event>.text(): Flow<String> = flow {
    var text = ""
    collect { event ->
        val next = when (event) {
            is Event.Text -> text + event.text
            is Event.TakeBack -> text.takenBack(event.codePoints)
            is Event.Done -> event.text
            is Event.Switched, is Event.Throttled, is Event.Progress -> return@collect
        }
        if (next != text || event is Event.Done) emit(next)
        text = next
    }
}

/** Waits for the end. */
public suspend fun Flow<Event>.done(): Event.Done = first { it is Event.Done } as Event.Done

/** Without so many code points at its end; a code point such as an emoji may be two chars. */
public fun CharSequence.takenBack(codePoints: Int): String {
    val all = toString()
    val fewer = minOf(codePoints, all.codePointCount(0, all.length))
    return all.substring(0, all.offsetByCodePoints(all.length, -fewer))
}
