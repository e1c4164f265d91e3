package dev.kinglet.sample.models

import java.io.File
import java.io.InputStream
import java.security.MessageDigest

/** Copies a stream to a file and computes its hash on the way, so that gigabytes are read once. */
class HashingCopy(private val from: InputStream, private val to: File) {
    /** SHA-256 in hexadecimal. [progress] gets the bytes so far, and may end the copy by throwing. */
    suspend fun copy(progress: suspend (Long) -> Unit): String {
        val digest = MessageDigest.getInstance("SHA-256")
        val buffer = ByteArray(1 shl 20)
        var copied = 0L
        to.outputStream().use { out ->
            while (true) {
                val read = from.read(buffer)
                if (read < 0) break
                digest.update(buffer, 0, read)
                out.write(buffer, 0, read)
                copied += read
                progress(copied)
            }
            out.fd.sync()
        }
        return digest.digest().joinToString("") { "%02x".format(it) }
    }
}
