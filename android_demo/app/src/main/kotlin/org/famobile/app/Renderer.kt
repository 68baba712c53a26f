package org.famobile.app

import android.graphics.Bitmap
import org.famobile.core.Mosaic
import org.famobile.core.Preview
import org.famobile.core.Rectangle

/** Pictures of a capture and its denoised mosaic, both developed alike. */
class Renderer(private val denoised: Denoised) {
    private val capture = denoised.shot.capture
    private val preview = Preview(
        capture.levels,
        capture.neutral ?: listOf(0.5, 1.0, 0.6), // typical for daylight, where the source does not say
        Preview.exposure(denoised.mosaic, capture.levels),
    )

    /** The whole capture, at most about [most] pixels on the longer side. */
    fun overview(most: Int): Pictures {
        val mosaic = capture.mosaic
        val longer = maxOf(mosaic.width, mosaic.height)
        val step = if (longer <= most) 1 else (longer + 2 * most - 1) / (2 * most) * 2
        return pictures(Rectangle(0, mosaic.height / step * step, 0, mosaic.width / step * step), step)
    }

    fun detail(area: Rectangle): Pictures = pictures(area, 1)

    private fun pictures(area: Rectangle, step: Int) =
        Pictures(bitmap(capture.mosaic, area, step), bitmap(denoised.mosaic, area, step), area, step)

    private fun bitmap(mosaic: Mosaic, area: Rectangle, step: Int): Bitmap =
        preview.render(mosaic, area, step).let {
            Bitmap.createBitmap(it, area.width / step, area.height / step, Bitmap.Config.ARGB_8888)
        }
}
