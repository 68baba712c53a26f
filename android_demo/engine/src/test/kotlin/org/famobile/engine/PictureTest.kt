package org.famobile.engine

import org.famobile.core.Bundle
import org.famobile.core.Denoiser
import org.famobile.core.Dng
import org.famobile.core.Mosaic
import org.famobile.core.Preview
import org.famobile.core.Rectangle
import org.famobile.core.bundleFiles
import org.famobile.core.bundleFolder
import org.junit.Assume.assumeNotNull
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO
import kotlin.test.Test
import kotlin.test.assertTrue

/** What the app would show of a DNG: noisy left of the line, denoised right of it. */
class PictureTest {
    @Test
    fun aDngIsDenoisedAndDeveloped() {
        val given = System.getProperty("fa.picture")
        assumeNotNull(given)
        val (dng, png) = given.split(':')
        val bundle = Bundle.open(bundleFiles)
        val capture = Dng(File(dng).readBytes()).capture()
        val path = File(bundleFolder, bundle.manifest.files.first()).path
        val denoised = openModel(bundle.manifest, path).use {
            Denoiser(bundle.manifest, it).denoise(
                capture.mosaic, bundle.manifest.sensor.gainOfIso(capture.iso), capture.noise, capture.levels,
            )
        }
        val exposure = Preview.exposure(denoised, capture.levels)
        val preview = Preview(capture.levels, capture.neutral ?: bundle.manifest.sensor.asShotNeutral, exposure)
        val mosaic = capture.mosaic
        val area = Rectangle(0, mosaic.height and 1.inv(), 0, mosaic.width and 1.inv())
        val image = BufferedImage(area.width, area.height, BufferedImage.TYPE_INT_RGB)
        fun paint(side: Mosaic, left: Int, right: Int) {
            val part = Rectangle(area.top, area.bottom, left, right)
            image.setRGB(left, 0, part.width, part.height, preview.render(side, part, 1), 0, part.width)
        }
        val line = area.width / 4 * 2
        paint(mosaic, 0, line)
        paint(denoised, line, area.width)
        for (row in 0 until area.height) for (col in line - 1..line) image.setRGB(col, row, 0xFFFFFF)
        assertTrue(ImageIO.write(image, "png", File(png)))
    }
}
