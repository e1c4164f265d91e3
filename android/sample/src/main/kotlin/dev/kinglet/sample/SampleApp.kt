package dev.kinglet.sample

import android.app.Application
import android.content.Context
import androidx.work.Configuration

/** Holds what the process shares. */
open class SampleApp :
    Application(),
    Configuration.Provider {
    open val parts: Parts by lazy { Parts.real(this) }

    // WorkManager starts when it is first needed.
    override val workManagerConfiguration: Configuration = Configuration.Builder().build()
}

val Context.parts: Parts get() = (applicationContext as SampleApp).parts
