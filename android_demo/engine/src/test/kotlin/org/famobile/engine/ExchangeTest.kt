package org.famobile.engine

import org.famobile.core.Bundle
import org.famobile.core.Denoiser
import org.famobile.core.Dng
import org.famobile.core.bundleFiles
import org.famobile.core.bundleFolder
import org.junit.Assume.assumeNotNull
import java.io.File
import kotlin.test.Test

/** A DNG of Python's, of another pattern and other levels than the bundle's, denoised for Python to compare. */
class ExchangeTest {
    @Test
    fun theWholeWayOfADngIsWritten() {
        val folder = System.getProperty("fa.exchange")
        assumeNotNull(folder)
        val bundle = Bundle.open(bundleFiles)
        val dng = Dng(File(folder, "capture.dng").readBytes())
        val capture = dng.capture()
        val path = File(bundleFolder, bundle.manifest.files.first()).path
        val denoised = openModel(bundle.manifest, path, threads = 1).use {
            val gain = bundle.manifest.sensor.gainOfIso(capture.iso)
            Denoiser(bundle.manifest, it).denoise(capture.mosaic, gain, capture.noise, capture.levels)
        }
        File(folder, "denoised.dng").writeBytes(dng.withSamples(denoised))
    }
}
