package org.famobile.core

import kotlin.math.abs
import kotlin.math.log10
import kotlin.math.sqrt

/** One golden vector, judged like `fa-mobile verify` judges it. */
class VectorResult(
    val vector: GoldenVector,
    val maxAbsDn: Double,
    val noiseRatio: Double,
    val mse: Double,
    val floatMse: Double,
    val memberAgrees: Boolean,
)

/** What a replay of all golden vectors found; without problems it passed. */
class SelfTestReport(val results: List<VectorResult>, val psnrLossDb: Double, val problems: List<String>)

/** Run every golden vector of [bundle] through [model] and hold it against the manifest's tolerance. */
fun selfTest(bundle: Bundle, model: Model, progress: Progress = Progress { _, _ -> true }): SelfTestReport {
    val golden = bundle.manifest.golden
    if (golden.isEmpty()) throw UserMessage("the bundle has no golden vectors; export it again")
    val denoiser = Denoiser(bundle.manifest, model)
    val results = golden.mapIndexed { index, vector ->
        replay(bundle, denoiser, vector).also { progress.goOn(index + 1, golden.size) }
    }
    val loss = psnrLoss(results)
    return SelfTestReport(results, loss, problems(results, loss, bundle.manifest.tolerance))
}

private fun replay(bundle: Bundle, denoiser: Denoiser, vector: GoldenVector): VectorResult {
    val data = bundle.golden(vector)
    val out = FloatArray(vector.height * vector.width)
    val sink = Sink { row, left, samples, count -> samples.copyInto(out, row * vector.width + left, 0, count) }
    denoiser.denoise(data.raw, vector.gain, vector.noise, bundle.manifest.levels, { _, _ -> true }, sink)
    val noise = mse(FloatArray(out.size) { data.raw[it / vector.width, it % vector.width].toFloat() }, data.truth)
    val rivals = bundle.manifest.golden.filter { it.raw == vector.raw }
    val nearest = rivals.minByOrNull { mse(out, bundle.golden(it).reference) } ?: vector
    return VectorResult(
        vector = vector,
        maxAbsDn = out.indices.maxOf { abs(out[it].toDouble() - data.reference[it]) },
        noiseRatio = sqrt(mse(out, data.reference) / noise),
        mse = mse(out, data.truth),
        floatMse = mse(data.reference, data.truth),
        memberAgrees = nearest.member == vector.member,
    )
}

/** dB lost against ground truth: errors pooled over the vectors, each over its shot noise. */
private fun psnrLoss(results: List<VectorResult>): Double =
    10 * log10(results.sumOf { it.mse / it.vector.noise.a } / results.sumOf { it.floatMse / it.vector.noise.a })

private fun problems(results: List<VectorResult>, loss: Double, limits: Tolerance): List<String> {
    val found = ArrayList<String>()
    for (result in results) {
        val where = "vector ${result.vector.name} (member ${result.vector.member})"
        if (!result.memberAgrees) found += "$where: another member answered"
        if (!result.maxAbsDn.isFinite()) {
            found += "$where: the output is not finite"
        } else if (limits.maxAbsDn != null && result.maxAbsDn > limits.maxAbsDn) {
            found += "$where: off by ${result.maxAbsDn} DN, allowed ${limits.maxAbsDn}"
        }
        if (!(result.noiseRatio <= limits.maxNoiseRatio)) {
            found += "$where: differs by ${result.noiseRatio} of the noise, allowed ${limits.maxNoiseRatio}"
        }
    }
    if (!(loss <= limits.maxPsnrLossDb)) found += "$loss dB are lost, allowed ${limits.maxPsnrLossDb}"
    return found
}

private fun mse(a: FloatArray, b: FloatArray): Double {
    var sum = 0.0
    for (index in a.indices) {
        val difference = a[index].toDouble() - b[index]
        sum += difference * difference
    }
    return sum / a.size
}
