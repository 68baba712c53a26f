package org.famobile.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class TilingTest {
    private val manifest = Manifest.parse(bundleFiles.text(Manifest.FILE))

    @Test
    fun the13MegapixelPlanCoversEveryPixelOnce() = coversOnce(3120, 4208, Cfa.RGGB)

    @Test
    fun oddAndSmallFramesOfEveryPatternAreCoveredOnce() {
        for (cfa in Cfa.entries) {
            for ((height, width) in listOf(2 to 2, 37 to 1001, 513 to 511, 1200 to 1601)) coversOnce(height, width, cfa)
        }
    }

    private fun coversOnce(height: Int, width: Int, cfa: Cfa) {
        val plan = FramePlan.of(manifest, height, width, cfa)
        val written = ByteArray(height * width)
        for (tile in plan.tiles) {
            assertTrue(tile.rows.size <= manifest.tile.first && tile.cols.size <= manifest.tile.second)
            val place = plan.written(tile)
            for (row in place.top until place.bottom) {
                for (col in place.left until place.right) written[row * width + col]++
            }
        }
        assertTrue(written.all { it == 1.toByte() }, "$height x $width $cfa")
    }

    @Test
    fun whatIsOffTheStrideIsRefused() {
        assertFailsWith<UserMessage> { planAxis(30, 16, 0, 8) }
        assertFailsWith<UserMessage> { planAxis(64, 32, 16, 8) }
    }

    @Test
    fun mirroringKeepsColoursAndGoesBackAndForth() {
        assertEquals(listOf(1, 0, 1, 2, 1, 0, 1, 2), mirrored(3, 1, 4, 8).toList())
        for (side in 2..9) for (before in 0..1) {
            mirrored(side, before, 2, 30).forEachIndexed { at, from -> assertEquals(0, (at - before - from) % 2) }
        }
    }
}
