package org.famobile.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

class PreviewTest {
    private val levels = Levels(List(4) { 64.0 }, 1023.0)

    @Test
    fun aFlatColourIsThatColourEverywhereInEveryPattern() {
        val signal = listOf(0.4, 0.2, 0.2, 0.05)
        for (cfa in Cfa.entries) {
            val samples = ShortArray(12 * 10) { (64 + 959 * signal[cfa.plane(it / 10, it % 10)]).toInt().toShort() }
            val mosaic = Mosaic(12, 10, cfa, samples)
            for (step in listOf(1, 2, 4)) {
                val pixels = Preview(levels, listOf(1.0, 1.0, 1.0)).render(mosaic, Rectangle(0, 12, 0, 10), step)
                assertEquals((12 / step) * (10 / step), pixels.size)
                assertEquals(1, pixels.toSet().size, "$cfa by $step")
                val (red, green, blue) = listOf(16, 8, 0).map { pixels[0] shr it and 0xFF }
                assertTrue(red > green && green > blue, "$cfa by $step: $red $green $blue")
            }
        }
    }

    @Test
    fun whiteBalanceMakesANeutralGray() {
        val neutral = listOf(0.5, 1.0, 0.6)
        val mosaic = Mosaic(4, 4, Cfa.RGGB, ShortArray(16) {
            (64 + 959 * 0.4 * listOf(0.5, 1.0, 1.0, 0.6)[Cfa.RGGB.plane(it / 4, it % 4)]).toInt().toShort()
        })
        val pixel = Preview(levels, neutral).render(mosaic, Rectangle(0, 4, 0, 4), 1)[5]
        val parts = listOf(16, 8, 0).map { pixel shr it and 0xFF }
        assertTrue(parts.max() - parts.min() <= 1, "$parts")
    }
}
