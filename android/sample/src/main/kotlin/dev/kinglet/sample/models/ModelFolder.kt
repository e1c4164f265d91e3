package dev.kinglet.sample.models

import android.content.Context
import android.net.Uri
import android.provider.OpenableColumns
import dev.kinglet.Fit
import dev.kinglet.Kinglet
import dev.kinglet.KingletOptions
import dev.kinglet.ModelFile
import dev.kinglet.ModelInfo
import dev.kinglet.sample.Preferences
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.withContext
import java.io.File
import java.io.FileNotFoundException

/** Models as files in `filesDir/models`, each with its hash beside it. */
class ModelFolder(
    private val context: Context,
    private val preferences: Preferences,
    scope: CoroutineScope,
    private val options: KingletOptions = KingletOptions(),
) : Models {
    private val folder = File(context.filesDir, "models").apply { mkdirs() }
    private val found: MutableStateFlow<List<StoredModel>>

    init {
        // Copies that a dead process left unfinished.
        folder.listFiles { file -> file.name.endsWith(PART) }?.forEach { it.delete() }
        found = MutableStateFlow(list())
    }

    override val all: StateFlow<List<StoredModel>> = found.asStateFlow()

    override val chosen: StateFlow<StoredModel?> = combine(found, preferences.choices) { models, choices ->
        models.named(choices.model)
    }.stateIn(scope, SharingStarted.Eagerly, found.value.named(preferences.choices.value.model))

    override fun import(document: Uri): Flow<ImportStep> = flow<ImportStep> {
        val (name, size) = describe(document)
        val free = folder.usableSpace
        if (size > free) throw NoRoomException(size, free)
        val part = File.createTempFile("import", PART, folder)
        try {
            val source = context.contentResolver.openInputStream(document) ?: throw FileNotFoundException(name)
            val sha256 = source.use { input ->
                HashingCopy(input, part).copy { emit(ImportStep.Copied(it, size)) }
            }
            Kinglet.inspect(ModelFile(part))
            emit(ImportStep.Finished(keep(part, name, sha256)))
        } finally {
            part.delete()
        }
    }.flowOn(Dispatchers.IO)

    override fun choose(model: StoredModel) = preferences.change { it.copy(model = model.file.name) }

    override suspend fun delete(model: StoredModel) {
        withContext(NonCancellable + Dispatchers.IO) {
            model.file.delete()
            hashOf(model.file).delete()
        }
        found.value = list()
    }

    override suspend fun inspect(model: StoredModel): ModelInfo = Kinglet.inspect(ModelFile(model.file))

    override suspend fun fit(model: StoredModel): Fit = Kinglet.fit(context, ModelFile(model.file), options)

    private fun keep(part: File, name: String, sha256: String): StoredModel {
        val file = unusedName(name)
        hashOf(file).writeText(sha256)
        if (!part.renameTo(file)) throw java.io.IOException("$file cannot be written")
        found.value = list()
        if (preferences.choices.value.model == null) preferences.change { it.copy(model = file.name) }
        return found.value.first { it.file == file }
    }

    /** A file of that name, with a number where there is one already. */
    private fun unusedName(name: String): File {
        val stem = name.removeSuffix(GGUF).map { if (it.isLetterOrDigit() || it in "-_. ") it else '_' }.joinToString("").trim('.', ' ')
        val usual = stem.ifEmpty { "model" }
        return generateSequence(1) { it + 1 }
            .map { File(folder, if (it == 1) usual + GGUF else "$usual ($it)$GGUF") }
            .first { !it.exists() }
    }

    private fun describe(document: Uri): Pair<String, Long> {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)
        return context.contentResolver.query(document, columns, null, null, null)?.use { row ->
            if (!row.moveToFirst()) return@use null
            val name = row.getString(0) ?: return@use null
            name to if (row.isNull(1)) 0L else row.getLong(1)
        } ?: (document.lastPathSegment.orEmpty().substringAfterLast('/') to 0L)
    }

    private fun list(): List<StoredModel> = folder.listFiles { file -> file.name.endsWith(GGUF) }.orEmpty()
        .sortedBy { it.name.lowercase() }
        .map { StoredModel(it, it.length(), hashOf(it).takeIf(File::exists)?.readText().orEmpty()) }

    private fun hashOf(model: File) = File(model.path + ".sha256")

    private fun List<StoredModel>.named(name: String?) = firstOrNull { it.file.name == name }

    private companion object {
        const val GGUF = ".gguf"
        const val PART = ".part"
    }
}
