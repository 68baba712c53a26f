package org.famobile.core

import java.util.concurrent.CancellationException

/** What to measure: [seconds] above 0 asks for rounds until they are over instead of [rounds]. */
class BenchmarkPlan(
    val threads: Int,
    val gain: Double,
    val rounds: Int = 12,
    val warmup: Int = 3,
    val seconds: Int = 0,
) {
    val kind get() = if (seconds > 0) "sustained" else "burst"
}

/** Times in milliseconds; [startedS] is when each round began. */
class BenchmarkResult(
    val loadMs: Double,
    val firstMs: Double,
    val samplesMs: List<Double>,
    val startedS: List<Double>,
)

/**
 * Time the model's own call on one tile of the bundle: load, first call, warm-up, rounds.
 *
 * @param open loads the model; it is closed at the end.
 * @param clockNs a monotonic clock.
 */
fun benchmark(
    manifest: Manifest, plan: BenchmarkPlan, clockNs: () -> Long, progress: Progress, open: () -> Model,
): BenchmarkResult {
    val (height, width) = manifest.tile
    val raw = testTile(manifest, height, width)
    val noise = manifest.sensor.noise(plan.gain)
    val given = if (manifest.takesNoise) listOf(noise.a, noise.b) else listOf(plan.gain)
    val scalars = FloatArray(given.size) { given[it].toFloat() }
    fun <T> timed(work: () -> T): Pair<T, Double> {
        val start = clockNs()
        val value = work()
        return value to maxOf(clockNs() - start, 1) / 1e6
    }

    val (model, loadMs) = timed(open)
    return model.use {
        val once = { model.run(raw, height, width, scalars) }
        val (_, firstMs) = timed(once)
        repeat(plan.warmup) { once() }
        val start = clockNs()
        val samples = ArrayList<Double>()
        val started = ArrayList<Double>()
        fun elapsed() = (clockNs() - start) / 1e9
        while (if (plan.seconds > 0) elapsed() < plan.seconds else samples.size < plan.rounds) {
            started += elapsed()
            samples += timed(once).second
            val (done, total) = if (plan.seconds > 0) elapsed().toInt() to plan.seconds else samples.size to plan.rounds
            if (!progress.goOn(done, total)) throw CancellationException("cancelled")
        }
        BenchmarkResult(loadMs, firstMs, samples, started)
    }
}

/** A tile with the levels of the sensor and some structure; what it shows does not change the time. */
private fun testTile(manifest: Manifest, height: Int, width: Int) = Denoiser.directFloats(height * width).also {
    val levels = manifest.levels
    for (index in 0 until height * width) {
        val signal = (index * 2654435761L ushr 8 and 0xFF) / 255f
        it.put(index, (levels.black[0] + (levels.white - levels.black[0]) * signal).toFloat())
    }
}
