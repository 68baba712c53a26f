package org.famobile.core

import java.io.File
import java.nio.FloatBuffer
import java.util.concurrent.CancellationException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Timing with a clock that the test moves. */
class BenchmarkTest {
    private val bundle = Bundle.open(bundleFiles)
    private var now = 0L

    private inner class Slow : Model {
        var calls = 0
        var closed = false

        override fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer {
            calls++
            now += calls * 1_000_000L // the n-th call takes n ms
            return raw
        }

        override fun close() {
            closed = true
        }
    }

    @Test
    fun burstTimesItsRoundsAfterTheWarmUp() {
        val model = Slow()
        val plan = BenchmarkPlan(threads = 4, gain = 8.0, rounds = 5, warmup = 2)
        val result = benchmark(bundle.manifest, plan, { now }, { _, _ -> true }) { now += 7_000_000; model }
        assertEquals(7.0, result.loadMs)
        assertEquals(1.0, result.firstMs)
        assertEquals(listOf(4.0, 5.0, 6.0, 7.0, 8.0), result.samplesMs)
        assertEquals(6.0, median(result.samplesMs))
        assertEquals(7.6, p90(result.samplesMs), 1e-9)
        assertTrue(model.closed)
        write("burst", plan, result)
    }

    @Test
    fun sustainedRunsUntilItsSecondsAreOver() {
        val plan = BenchmarkPlan(threads = 0, gain = 1.0, seconds = 60)
        val result = benchmark(bundle.manifest, plan, { now }, { _, _ -> true }) { Slow() }
        assertTrue(result.startedS.last() < 60 && result.startedS.last() + result.samplesMs.last() / 1000 >= 60)
        write("sustained", plan, result)
    }

    @Test
    fun cancellingClosesTheModel() {
        val model = Slow()
        assertFailsWith<CancellationException> {
            benchmark(bundle.manifest, BenchmarkPlan(1, 1.0), { now }, { _, _ -> false }) { model }
        }
        assertTrue(model.closed)
    }

    /** For the check by Python's own schema, which test_jvm.sh's caller makes. */
    private fun write(name: String, plan: BenchmarkPlan, result: BenchmarkResult) {
        val phone = PhoneFacts(
            "Maker", "Model", null, "Android 15", 8, listOf("asimd"), "0.1.0", "arm64-v8a", mapOf("onnx" to "1.29.0"),
        )
        val before = PhoneState(false, null, 31.5, 80.0, "none")
        val text = benchmarkReport(bundle, plan, result, phone, before, PhoneState(false, null, null, 79.0, "light"))
        assertEquals(1, Fields.of(JsonReader.parse(text)).int("schema_version"))
        System.getProperty("fa.exchange")?.let { File(it, "$name.json").writeText(text) }
    }
}
