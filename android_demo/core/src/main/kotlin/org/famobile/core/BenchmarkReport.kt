package org.famobile.core

/** The phone and its condition around a run; what the system does not tell is null. */
class PhoneFacts(
    val maker: String,
    val model: String,
    val soc: String?,
    val os: String,
    val cores: Int,
    val flags: List<String>,
    val appVersion: String,
    val abi: String?,
    val runtimes: Map<String, String>,
)

class PhoneState(
    val charging: Boolean?,
    val lowPowerMode: Boolean?,
    val batteryC: Double?,
    val batteryPercent: Double?,
    val thermal: String?,
)

/**
 * The report that `fa_mobile/bench/schema.py` reads (schema 1): one entry, the model's own call. What
 * the app does not measure is null, with the reason under "missing".
 */
fun benchmarkReport(
    bundle: Bundle, plan: BenchmarkPlan, result: BenchmarkResult, phone: PhoneFacts, before: PhoneState,
    after: PhoneState,
): String = toJson(
    mapOf(
        "schema_version" to 1,
        "device" to device(phone, before, after),
        "settings" to mapOf(
            "kind" to plan.kind, "threads" to plan.threads, "rounds" to plan.rounds, "warmup" to plan.warmup,
            "seconds" to plan.seconds, "gain" to plan.gain,
        ),
        "ceilings" to emptyList<Any>(),
        "bandwidth" to null,
        "entries" to listOf(entry(bundle, result)),
        "missing" to mapOf("ceilings" to NO_CEILING, "bandwidth" to NO_CEILING),
    ),
)

private const val NO_CEILING = "not run: a phone's ceiling is not timed"

private fun device(phone: PhoneFacts, before: PhoneState, after: PhoneState) = mapOf(
    "kind" to "phone", "maker" to phone.maker, "model" to phone.model, "soc" to phone.soc, "os" to phone.os,
    "cores" to phone.cores, "flags" to phone.flags, "runtimes" to phone.runtimes, "app_version" to phone.appVersion,
    "governor" to null, "charging" to before.charging, "low_power_mode" to before.lowPowerMode,
    "temperature_start_c" to before.batteryC, "temperature_end_c" to after.batteryC,
    "thermal_start" to before.thermal, "thermal_end" to after.thermal, "abi" to phone.abi,
    "battery_percent" to before.batteryPercent,
)

private fun entry(bundle: Bundle, result: BenchmarkResult): Map<String, Any?> {
    val manifest = bundle.manifest
    val (height, width) = manifest.tile
    val middle = median(result.samplesMs)
    val missing = linkedMapOf(
        "memory" to "not run: the app does not measure it",
        "operators" to "not run: the app takes no profile",
        "ratio" to "not run: the app times one bundle",
        "traffic" to "not run: the app does not derive it",
        "roof" to "not run: the app does not derive it",
        "instructions_per_mp" to "not available: phones do not let apps count them",
    )
    if (manifest.plannedMemoryBytes == null) missing["arena_bytes"] = "not available: the runtime does not state it"
    return mapOf(
        "bundle" to manifest.name,
        "sums_sha256" to sha256(bundle.files, SUMS_FILE),
        "target" to manifest.target,
        "precision" to manifest.precision,
        "network" to manifest.network.name,
        "weights" to "trained",
        "width" to width,
        "height" to height,
        "tiles" to 1,
        "counts" to mapOf(
            "nominal_gmacs_per_mp" to manifest.network.gmacsPerMp,
            "executed_gmacs_per_mp" to manifest.network.executedGmacsPerMp,
            "model_bytes" to manifest.modelBytes,
            "bundle_bytes" to bundle.files.names().sumOf { bundle.files.bytes(it).size.toLong() },
            "arena_bytes" to manifest.plannedMemoryBytes,
            "delegated" to manifest.delegated,
            "undelegated" to manifest.undelegated,
            "instructions_per_mp" to emptyMap<String, Double>(),
        ),
        "timing" to mapOf(
            "samples_ms" to result.samplesMs, "calls_per_sample" to 1, "started_s" to result.startedS,
            "min_ms" to result.samplesMs.min(), "median_ms" to middle, "p90_ms" to p90(result.samplesMs),
            "ms_per_mp" to middle / (width * height / 1e6),
        ),
        "start" to mapOf("load_ms" to result.loadMs, "first_ms" to result.firstMs),
        "memory" to null, "operators" to null, "ratio" to null, "traffic" to null, "roof" to null,
        "missing" to missing,
    )
}
