package org.famobile.app

import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CaptureResult
import android.hardware.camera2.DngCreator
import android.media.ExifInterface
import android.util.Size
import org.famobile.core.Capture
import org.famobile.core.Dng
import org.famobile.core.Mosaic
import java.io.ByteArrayOutputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** An exposure, and how a denoised one of it becomes a DNG. */
interface Shot {
    val capture: Capture
    val name: String

    /** Degrees clockwise by which the mosaic is turned to be upright. */
    val rotation: Int

    /** Write a DNG with the samples of [mosaic] in place of the capture's. */
    fun write(mosaic: Mosaic, to: OutputStream)
}

/** From this phone's camera: Android's DngCreator writes what it knows of the sensor. */
class CameraShot(
    override val capture: Capture,
    private val characteristics: CameraCharacteristics,
    private val result: CaptureResult,
    override val rotation: Int,
) : Shot {
    override val name = "capture"

    override fun write(mosaic: Mosaic, to: OutputStream) {
        val bytes = ByteBuffer.allocate(2 * mosaic.samples.size).order(ByteOrder.nativeOrder())
        bytes.asShortBuffer().put(mosaic.samples)
        DngCreator(characteristics, result).use { creator ->
            creator.setOrientation(EXIF[rotation] ?: ExifInterface.ORIENTATION_NORMAL)
            creator.setDescription("Denoised with fa-mobile")
            val file = ByteArrayOutputStream(2 * mosaic.samples.size + HEADER)
            creator.writeByteBuffer(file, Size(mosaic.width, mosaic.height), bytes, 0)
            to.write(file.toByteArray().also(Dng::dropNoiseProfile))
        }
    }

    private companion object {
        /** About what DngCreator writes beside the samples: shading maps, tags. */
        const val HEADER = 1 shl 17
        val EXIF = mapOf(
            90 to ExifInterface.ORIENTATION_ROTATE_90, 180 to ExifInterface.ORIENTATION_ROTATE_180,
            270 to ExifInterface.ORIENTATION_ROTATE_270,
        )
    }
}

/** From a file: its own bytes with other samples. */
class DngShot(private val dng: Dng, override val name: String) : Shot {
    override val capture = dng.capture()
    override val rotation = 0

    override fun write(mosaic: Mosaic, to: OutputStream) = to.write(dng.withSamples(mosaic))
}
