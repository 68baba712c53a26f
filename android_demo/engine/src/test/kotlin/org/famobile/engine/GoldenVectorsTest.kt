package org.famobile.engine

import org.famobile.core.Bundle
import org.famobile.core.Cfa
import org.famobile.core.Denoiser
import org.famobile.core.Mosaic
import org.famobile.core.UserMessage
import org.famobile.core.bundleFiles
import org.famobile.core.bundleFolder
import org.famobile.core.selfTest
import java.io.File
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** The exported artifact in the real ONNX Runtime, through the Java API that the app uses. */
class GoldenVectorsTest {
    private val bundle = Bundle.open(bundleFiles)
    private val path = File(bundleFolder, bundle.manifest.files.first()).path

    @Test
    fun goldenVectorsAreDenoisedAsPythonSays() {
        openModel(bundle.manifest, path, threads = 1).use { model ->
            val report = selfTest(bundle, model)
            assertEquals(emptyList(), report.problems)
            assertEquals(bundle.manifest.golden.size, report.results.size)
            val members = report.results.map { it.vector.member }.toSet()
            assertEquals(bundle.manifest.network.members, members.size)
            println(
                "ONNX Runtime ${OnnxModel.version()}: ${report.results.size} golden vectors, at most " +
                    "%.3f of the noise, %.4f dB lost".format(report.results.maxOf { it.noiseRatio }, report.psnrLossDb),
            )
        }
    }

    @Test
    fun aWrongMemberShows() {
        openModel(bundle.manifest, path, threads = 1).use { model ->
            val wrong = object : org.famobile.core.Model by model {
                override fun run(raw: java.nio.FloatBuffer, height: Int, width: Int, scalars: FloatArray) =
                    model.run(raw, height, width, floatArrayOf(scalars[0] * 1.5f))
            }
            assertTrue(selfTest(bundle, wrong).problems.any { "another member answered" in it })
        }
    }

    @Test
    fun tilesLeaveNoSeam() {
        val (height, width) = 2 * bundle.manifest.tile.first - 96 to bundle.manifest.tile.second
        val data = bundle.golden(bundle.manifest.golden.first())
        val capture = Mosaic(height, width, Cfa.RGGB, ShortArray(height * width) {
            data.raw[it / width % data.raw.height, it % width % data.raw.width].toShort()
        })
        openModel(bundle.manifest, path, threads = 1).use { model ->
            val small = Denoiser.smallTile(bundle.manifest)
            assertTrue(small.first < bundle.manifest.tile.first)
            val tiled = Denoiser(bundle.manifest, model, small).denoise(capture, gain = 4.0)
            val whole = Denoiser.directFloats(height * width)
            val input = Denoiser.directFloats(height * width)
            for (index in 0 until height * width) input.put(index, capture[index / width, index % width].toFloat())
            val result = model.run(input, height, width, floatArrayOf(4f)).also { whole.put(it); whole.flip() }
            val worst = (0 until height * width).maxOf { abs(tiled[it / width, it % width] - whole[it]) }
            assertTrue(worst <= 1.0f, "off by $worst DN; ${result.capacity()} samples")
        }
    }

    @Test
    fun whatIsNoModelIsRefused() {
        val file = File.createTempFile("text", ".onnx").apply { writeText("no model"); deleteOnExit() }
        val error = assertFailsWith<UserMessage> { OnnxModel(file.path) }
        assertContains(error.message.orEmpty(), "copy the bundle again")
    }
}
