package dev.kinglet

/** What a phone asks of an app that computes. All of it is done by default, without the app's help. */
public data class Manners @JvmOverloads constructor(
    /**
     * Lets the GPU work while no activity is visible. By default it works in the foreground only: a model opened in the
     * background is opened on the CPU, and what runs when the app goes there goes on on the CPU ([Device.AUTO]) or ends
     * with [KingletException.Suspended] ([Device.GPU]).
     */
    public val gpuInBackground: Boolean = false,
    /** Works less hard on a warm phone and in battery saver, and says so by [Event.Throttled]. Answers are the same. */
    public val slowWhenHot: Boolean = true,
    /** Gives memory back when the system asks; the model itself while nobody uses it and no session is open. */
    public val giveBackMemory: Boolean = true,
    /** Refuses a model that does not fit before it is loaded, with [KingletException.DoesNotFit]. */
    public val planMemory: Boolean = true,
)

/** Why an engine works less hard. */
public enum class ThrottleReason {
    /** It works as hard as it can. */
    NONE,

    /** The person saves battery: half of the threads, and as much rest as work. */
    BATTERY_SAVER,

    /** The phone gets warm: the same. */
    WARM,

    /** The phone is hot: a quarter of the threads, and three times as much rest as work. */
    HOT,
}
