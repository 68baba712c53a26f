package org.famobile.app

import android.app.ActivityManager
import android.content.Context
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.os.SystemClock
import android.provider.DocumentsContract
import org.famobile.core.BenchmarkPlan
import org.famobile.core.Bundle
import org.famobile.core.Denoiser
import org.famobile.core.Dng
import org.famobile.core.Model
import org.famobile.core.Mosaic
import org.famobile.core.Progress
import org.famobile.core.Work
import org.famobile.core.benchmark
import org.famobile.core.benchmarkReport
import org.famobile.core.median
import org.famobile.core.p90
import org.famobile.core.saveWhole
import org.famobile.core.selfTest
import org.famobile.core.sha256
import org.famobile.engine.openModel
import org.famobile.engine.runtimeVersions
import java.io.IOException
import java.io.OutputStream

/** A capture, its denoised mosaic, and how that came to be. */
class Denoised(val shot: Shot, val mosaic: Mosaic, val summary: String)

/**
 * What the app does, without its screens; it outlives them. All of it but the fields is for the thread
 * of [Work]: it takes its time.
 */
class Desk(private val context: Context) {
    private val main = Handler(Looper.getMainLooper())
    val work = Work { main.post(it) }
    val phone = Phone(context)

    /** A gain entered by hand, in place of the capture's ISO over the sensor's base ISO. */
    var gain: Double? = null
    var shot: Shot? = null
    var denoised: Denoised? = null
    var report: String? = null

    private val files = AssetFiles(context.assets)
    private val bundle by lazy { Bundle.open(files) }
    private var model: Model? = null

    private fun modelPath(): String {
        val name = bundle.manifest.files.first()
        return files.modelFile(name, sha256(files, name), context.cacheDir).path
    }

    private fun model(): Model = model ?: openModel(bundle.manifest, modelPath()).also { model = it }

    fun openDng(uri: Uri): Shot {
        val bytes = (context.contentResolver.openInputStream(uri) ?: throw IOException("it cannot be opened"))
            .use { it.readBytes() }
        return DngShot(Dng(bytes), "dng")
    }

    fun denoise(shot: Shot, progress: Progress): Denoised {
        val manifest = bundle.manifest
        val capture = shot.capture
        val given = if (manifest.takesNoise) null else gain ?: manifest.sensor.gainOfIso(capture.iso)
        val noise = if (!manifest.takesNoise) null else gain?.let { manifest.sensor.noise(it) } ?: capture.noise
        val tile = if (isShortOfMemory()) Denoiser.smallTile(manifest) else manifest.tile
        val denoiser = Denoiser(manifest, model(), tile)
        val member = denoiser.member(given, noise)
        val start = SystemClock.elapsedRealtime()
        val mosaic = denoiser.denoise(capture.mosaic, given, noise, capture.levels, progress)
        val ms = SystemClock.elapsedRealtime() - start
        val megapixels = mosaic.width * mosaic.height / 1e6
        val strength = noise?.let { "a %.3g, b %.3g".format(it.a, it.b) } ?: "gain %.2f".format(given)
        val beyond = given != null && (given < manifest.sensor.gainRange[0] || given > manifest.sensor.gainRange[1])
        return Denoised(
            shot, mosaic,
            "%s, model %d of %d%s\n%.1f MP in %d ms, %.0f ms per MP, %s\nThermal status: %s".format(
                strength, member, manifest.network.members, if (beyond) " (gain beyond the profile)" else "",
                megapixels, ms, ms / megapixels, manifest.name, phone.thermal() ?: "unknown",
            ),
        )
    }

    /** Write to a document that was made for this. */
    fun save(uri: Uri, write: (OutputStream) -> Unit) = saveWhole(
        open = { context.contentResolver.openOutputStream(uri) },
        remove = { DocumentsContract.deleteDocument(context.contentResolver, uri) },
        write = write,
    )

    fun selfTest(progress: Progress): String {
        val rows = bundle.table.rows.entries.joinToString { "${it.key} ${it.value}" }
        val found = selfTest(bundle, model(), progress)
        val worst = found.results.maxOf { it.noiseRatio }
        val problems = found.problems.joinToString("; ")
        val verdict = if (problems.isEmpty()) "Self-test passed." else "Self-test FAILED: $problems"
        return "$verdict\n${bundle.manifest.name}: every file has its hash; golden table replayed ($rows); " +
            "%d golden vectors, at most %.3f of the noise, %.4f dB lost"
                .format(found.results.size, worst, found.psnrLossDb)
    }

    /** Times the bundle and keeps the report for saving; what to show. */
    fun benchmark(seconds: Int, progress: Progress): String {
        val manifest = bundle.manifest
        val plan = BenchmarkPlan(
            threads = BENCHMARK_THREADS,
            gain = 8.0.coerceIn(manifest.sensor.gainRange[0], manifest.sensor.gainRange[1]),
            seconds = seconds,
        )
        val before = phone.state()
        val path = modelPath()
        val result = benchmark(manifest, plan, SystemClock::elapsedRealtimeNanos, progress) {
            openModel(manifest, path, plan.threads)
        }
        val after = phone.state()
        report = benchmarkReport(bundle, plan, result, phone.facts(runtimeVersions(manifest)), before, after)
        val (height, width) = manifest.tile
        return "%s, %s: %d rounds of %d x %d, %d threads\n".format(
            manifest.name, plan.kind, result.samplesMs.size, width, height, plan.threads,
        ) + "median %.2f ms, p90 %.2f ms, load %.1f ms, first %.1f ms\n".format(
            median(result.samplesMs), p90(result.samplesMs), result.loadMs, result.firstMs,
        ) + "Thermal ${before.thermal ?: "unknown"} to ${after.thermal ?: "unknown"}, " +
            "battery ${before.batteryC} to ${after.batteryC} °C"
    }

    private fun isShortOfMemory(): Boolean {
        val manager = context.getSystemService(Context.ACTIVITY_SERVICE) as ActivityManager
        return manager.isLowRamDevice || ActivityManager.MemoryInfo().also(manager::getMemoryInfo).lowMemory
    }

    private companion object {
        /** The big cores of most phones; more threads make a burst faster and a minute slower. */
        const val BENCHMARK_THREADS = 4
    }
}
