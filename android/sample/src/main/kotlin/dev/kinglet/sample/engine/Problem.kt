package dev.kinglet.sample.engine

import dev.kinglet.sample.models.NoRoomException

/** Why something did not work, for a screen to say. */
sealed interface Problem {
    /** A model has to be chosen first. */
    data object NoModel : Problem

    /** Bytes. */
    data class NoRoom(val needed: Long, val free: Long) : Problem

    /** In the words of whatever failed: the SDK's messages name the thing and the way out. */
    data class Said(val message: String) : Problem

    companion object {
        fun of(error: Exception): Problem = when (error) {
            is NoModelException -> NoModel
            is NoRoomException -> NoRoom(error.needed, error.free)
            else -> Said(error.message ?: error.javaClass.simpleName)
        }
    }
}
