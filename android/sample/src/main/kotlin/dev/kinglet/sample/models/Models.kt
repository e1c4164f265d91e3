package dev.kinglet.sample.models

import android.net.Uri
import dev.kinglet.Fit
import dev.kinglet.ModelInfo
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import java.io.File

/** A model in the app's own folder. */
data class StoredModel(
    val file: File,
    val bytes: Long,
    /** Of the whole file, in hexadecimal. */
    val sha256: String,
) {
    /** The file's name without its ending. */
    val name: String get() = file.nameWithoutExtension
}

/** The models that the app has. */
interface Models {
    val all: StateFlow<List<StoredModel>>

    /** The one that is used. */
    val chosen: StateFlow<StoredModel?>

    /** Copies a document into the app's folder. The last step has the model; a file that is no model is not kept. */
    fun import(document: Uri): Flow<ImportStep>

    fun choose(model: StoredModel)

    suspend fun delete(model: StoredModel)

    /** What the file holds. */
    suspend fun inspect(model: StoredModel): ModelInfo

    /** Whether there is memory enough for it now. */
    suspend fun fit(model: StoredModel): Fit
}

/** How far a copy is. */
sealed interface ImportStep {
    /** [total] is 0 where nobody knows it. */
    data class Copied(val bytes: Long, val total: Long) : ImportStep

    data class Finished(val model: StoredModel) : ImportStep
}

/** The device has no room for a copy. */
class NoRoomException(val needed: Long, val free: Long) : java.io.IOException("no room: needs $needed bytes, $free are free")
