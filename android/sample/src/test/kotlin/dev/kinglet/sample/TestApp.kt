package dev.kinglet.sample

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.MutableStateFlow
import org.robolectric.RuntimeEnvironment

/** The app with made-up models, notifications and answers. */
class TestApp : SampleApp() {
    val inbox = FakeInbox()
    val assistant = FakeAssistant(inbox)
    val doctor = FakeDoctor()
    val loading = MutableStateFlow<Float?>(null)
    val models = FakeModels()

    override val parts: Parts by lazy {
        val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
        Parts.of(this, scope, Preferences(this), models, inbox, assistant, doctor, loading)
    }

    companion object {
        val now: TestApp get() = RuntimeEnvironment.getApplication() as TestApp
    }
}
