package dev.kinglet.sample.engine

import dev.kinglet.Benchmark
import dev.kinglet.DeviceInfo
import dev.kinglet.Divergence
import dev.kinglet.GpuInfo
import dev.kinglet.Qualification

/** Examines the device and what runs on it. [NoModelException] where a model is needed and none was chosen. */
interface Doctor {
    /** Of the SDK. */
    val version: String

    /** What runs the chosen model. */
    suspend fun device(): DeviceInfo

    /** The graphics processors that there are, usable or not. */
    suspend fun gpus(): List<GpuInfo>

    /** How fast the chosen model is. */
    suspend fun benchmark(): Benchmark

    /** Whether the graphics processor says what the CPU says, kernel by kernel. */
    suspend fun qualify(progress: (Float) -> Unit): Qualification

    /** Where the graphics processor leaves the CPU's path. A [fault] spoils its values on purpose. */
    suspend fun diagnose(fault: String?, progress: (Float) -> Unit): Divergence
}
