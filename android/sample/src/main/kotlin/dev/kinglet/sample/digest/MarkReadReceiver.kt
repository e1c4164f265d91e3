package dev.kinglet.sample.digest

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import dev.kinglet.sample.parts

/** The digest's notification was read: it goes. */
class MarkReadReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val id = intent.getLongExtra(DIGEST, 0)
        context.parts.preferences.change { it.copy(read = maxOf(it.read, id)) }
        context.parts.notifier.remove()
    }

    companion object {
        private const val DIGEST = "digest"

        fun intent(context: Context, digest: Long): Intent = Intent(context, MarkReadReceiver::class.java).putExtra(DIGEST, digest)
    }
}
