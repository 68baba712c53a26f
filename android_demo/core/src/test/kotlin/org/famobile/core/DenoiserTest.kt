package org.famobile.core

import java.nio.FloatBuffer
import java.util.concurrent.CancellationException
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame

/** What runs around the model, with a model that is a function. */
class DenoiserTest {
    private val manifest = Manifest.parse(bundleFiles.text(Manifest.FILE))

    /** Adds 100 to what it takes for red, so that a wrong phase shows. */
    private class RedsUp : Model {
        val calls = ArrayList<FloatArray>()

        override fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer {
            calls += scalars
            val out = Denoiser.directFloats(height * width)
            for (row in 0 until height) for (col in 0 until width) {
                val at = row * width + col
                out.put(at, raw.get(at) + if (row % 2 == 0 && col % 2 == 0) 100 else 0)
            }
            return out
        }

        override fun close() = Unit
    }

    @Test
    fun everyPatternAndSizeComesBackInItsOwnPlace() {
        for (cfa in Cfa.entries) for ((height, width) in listOf(2 to 2, 33 to 40, 530 to 601)) {
            val capture = capture(height, width, cfa)
            val out = Denoiser(manifest, RedsUp()).denoise(capture, gain = 4.0)
            assertSame(cfa, out.cfa)
            for (row in 0 until height) for (col in 0 until width) {
                val red = if (cfa.plane(row, col) == 0) 100 else 0
                assertEquals(capture[row, col] + red, out[row, col], "$cfa at $row, $col")
            }
        }
    }

    @Test
    fun aCameraWithOtherLevelsIsScaledThereAndBack() {
        val levels = Levels(listOf(256.0, 256.0, 240.0, 240.0), 4095.0)
        val seen = ArrayList<Float>()
        val identity = object : Model {
            override fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer {
                for (at in 0 until height * width) seen += raw.get(at)
                return raw
            }

            override fun close() = Unit
        }
        val capture = Mosaic(40, 40, Cfa.BGGR, ShortArray(1600) { (200 + it % 3800).toShort() })
        val out = Denoiser(manifest, identity).denoise(capture, gain = 1.0, levels = levels)
        assertContentEquals(capture.samples, out.samples)
        val white = manifest.sensor.whiteLevel.toFloat()
        assertEquals(true, seen.max() <= white && seen.max() > 0.3f * white)
        assertEquals(64f + 959f * (2000 - 256) / 3839f, levels.convert(2000f, 0, manifest.levels), 1e-3f)
    }

    @Test
    fun gainIsCheckedBeforeAnythingRuns() {
        val model = RedsUp()
        val denoiser = Denoiser(manifest, model)
        val missing = assertFailsWith<UserMessage> { denoiser.denoise(capture(8, 8, Cfa.RGGB)) }
        assertContains(missing.message.orEmpty(), "enter the gain")
        for (gain in listOf(0.0, -1.0, Double.NaN, Double.POSITIVE_INFINITY)) {
            assertFailsWith<UserMessage> { denoiser.denoise(capture(8, 8, Cfa.RGGB), gain = gain) }
        }
        assertEquals(0, model.calls.size)
        assertContains(
            assertFailsWith<UserMessage> { manifest.sensor.gainOfIso(null) }.message.orEmpty(), "enter the gain",
        )
        assertEquals(8.0, manifest.sensor.gainOfIso(800))
    }

    @Test
    fun cancellingStopsAfterTheTile() {
        val model = RedsUp()
        assertFailsWith<CancellationException> {
            Denoiser(manifest, model).denoise(capture(1200, 1200, Cfa.RGGB), gain = 1.0) { done, _ -> done < 2 }
        }
        assertEquals(2, model.calls.size)
    }

    @Test
    fun rowsMayBeLongerThanTheirPixels() {
        val tight = capture(40, 50, Cfa.GRBG)
        val loose = ShortArray(40 * 64) { if (it % 64 < 50) tight.samples[it / 64 * 50 + it % 64] else 9999 }
        val out = Denoiser(manifest, RedsUp()).denoise(Mosaic(40, 50, Cfa.GRBG, loose, 64), gain = 1.0)
        assertContentEquals(Denoiser(manifest, RedsUp()).denoise(tight, gain = 1.0).samples, out.samples)
    }

    @Test
    fun camerasWithoutABayerMosaicAreRefused() {
        assertEquals(Cfa.entries, (0..3).map { Cfa.ofCamera2(it) })
        for (other in listOf(4, 5, 6, 77, null)) {
            assertContains(assertFailsWith<UserMessage> { Cfa.ofCamera2(other) }.message.orEmpty(), "another camera")
        }
        assertFailsWith<UserMessage> { Cfa.named("XTRANS") }
        assertFailsWith<UserMessage> { Mosaic(1, 8, Cfa.RGGB, ShortArray(8)) }
        assertFailsWith<UserMessage> { Mosaic(8, 8, Cfa.RGGB, ShortArray(60)) }
        assertFailsWith<UserMessage> { Levels(List(4) { 64.0 }, 64.0) }
    }

    private fun capture(height: Int, width: Int, cfa: Cfa) =
        Mosaic(height, width, cfa, ShortArray(height * width) { (70 + it * 31 % 700).toShort() })
}
