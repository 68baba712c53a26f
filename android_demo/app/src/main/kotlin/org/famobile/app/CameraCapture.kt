package org.famobile.app

import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CaptureResult
import android.media.Image
import org.famobile.core.Capture
import org.famobile.core.Cfa
import org.famobile.core.Levels
import org.famobile.core.Mosaic

/** A RAW_SENSOR image and the metadata of that very frame as a capture. */
fun captureOf(image: Image, characteristics: CameraCharacteristics, result: CaptureResult): Capture {
    val cfa = Cfa.ofCamera2(characteristics.get(CameraCharacteristics.SENSOR_INFO_COLOR_FILTER_ARRANGEMENT))
    val profile = result.get(CaptureResult.SENSOR_NOISE_PROFILE)
        ?.flatMap { listOf(it.first, it.second) } // (S, O) for each position of the 2 x 2 cell
    return Capture(
        mosaic = mosaicOf(image, cfa),
        levels = levelsOf(characteristics, result, cfa),
        iso = result.get(CaptureResult.SENSOR_SENSITIVITY),
        noise = Capture.greenNoise(profile, cfa),
        neutral = result.get(CaptureResult.SENSOR_NEUTRAL_COLOR_POINT)?.map { it.toDouble() }?.takeIf { neutral ->
            neutral.all { it > 0 }
        },
    )
}

private fun mosaicOf(image: Image, cfa: Cfa): Mosaic {
    val plane = image.planes[0]
    val rowStride = plane.rowStride / 2
    val source = plane.buffer.order(java.nio.ByteOrder.nativeOrder()).asShortBuffer()
    val samples = ShortArray(image.width * image.height)
    for (row in 0 until image.height) {
        source.position(row * rowStride)
        source.get(samples, row * image.width, image.width)
    }
    return Mosaic(image.height, image.width, cfa, samples)
}

/** The frame's own levels where the camera tells them, else those of the sensor. */
private fun levelsOf(characteristics: CameraCharacteristics, result: CaptureResult, cfa: Cfa): Levels {
    // By name, so that it also compiles against the API level that CI's android.jar has.
    val dynamicBlack = valueNamed(result, "android.sensor.dynamicBlackLevel") as? FloatArray
    val dynamicWhite = valueNamed(result, "android.sensor.dynamicWhiteLevel") as? Int
    val pattern = characteristics.get(CameraCharacteristics.SENSOR_BLACK_LEVEL_PATTERN)
    val black = MutableList(4) { 0.0 }
    for (cell in 0..3) {
        val fixed = pattern?.getOffsetForIndex(cell % 2, cell / 2)?.toDouble() ?: 0.0
        // Both are given by position in the cell, the plan is by colour.
        black[cfa.plane(cell / 2, cell % 2)] = dynamicBlack?.get(cell)?.toDouble() ?: fixed
    }
    val white = dynamicWhite ?: characteristics.get(CameraCharacteristics.SENSOR_INFO_WHITE_LEVEL) ?: 1023
    return Levels(black, white.toDouble())
}

private fun valueNamed(result: CaptureResult, name: String): Any? =
    result.keys.firstOrNull { it.name == name }?.let { result.get(it) }
