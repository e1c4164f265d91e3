package dev.kinglet.sample

import android.app.Application
import android.content.Context
import androidx.work.Configuration

/** Holds what the process shares. */
open class SampleApp : Application(), Configuration.Provider {
    val parts: Parts by lazy { assemble() }

    // WorkManager starts when it is first needed.
    override val workManagerConfiguration: Configuration = Configuration.Builder().build()

    protected open fun assemble(): Parts = Parts.real(this)
}

val Context.parts: Parts get() = (applicationContext as SampleApp).parts
