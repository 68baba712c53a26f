package org.famobile.core

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** A bundle opens where it is whole, and says what is wrong where it is not. */
class BundleTest {
    @Test
    fun theBundleOpensAndItsTableReplays() {
        val bundle = Bundle.open(bundleFiles)
        assertEquals(setOf("selection", "noise", "k_sigma", "packing", "tiling", "dn"), bundle.table.rows.keys)
        assertTrue(bundle.table.rows.getValue("selection") >= 3 * bundle.manifest.edges.size + 2)
        assertEquals(12, bundle.table.rows.getValue("packing")) // three sizes in four patterns
        for (vector in bundle.manifest.golden) assertEquals(vector.height, bundle.golden(vector).raw.height)
    }

    @Test
    fun damageIsRefused() {
        val model = Bundle.open(bundleFiles).manifest.files.first()
        refuses(ChangedFiles(mapOf(model to byteArrayOf(1)), sums = false), "$model has another hash", "export it")
        refuses(ChangedFiles(mapOf(model to null), sums = false), "$model is missing")
        refuses(ChangedFiles(mapOf("extra" to byteArrayOf(1)), sums = false), "extra is not listed")
        refuses(ChangedFiles(mapOf(SUMS_FILE to null), sums = false), "has no SHA256SUMS")
        refuses(ChangedFiles(mapOf(Manifest.FILE to null), sums = false), "fa-mobile export")
        refuses(ChangedFiles(mapOf(Manifest.FILE to "{".toByteArray()), sums = true), "not JSON")
    }

    @Test
    fun anotherSchemaIsRefused() {
        val newer = edited(Manifest.FILE, "\"schema_version\": 2", "\"schema_version\": 3")
        refuses(newer, "version 3", "reads 2", "export")
        refuses(edited(GoldenTable.FILE, "\"schema_version\": 1", "\"schema_version\": 2"), "version 2", "reads 1")
        refuses(edited(Manifest.FILE, "\"stride\"", "\"strides\""), "strides is unknown")
        refuses(edited(Manifest.FILE, "\"model.onnx\"", "\"../model.onnx\""), "not a file name below the bundle")
        refuses(edited(Manifest.FILE, "\"cfa\": \"RGGB\"", "\"cfa\": \"XTRANS\""), "'XTRANS' is not supported")
        refuses(edited(Manifest.FILE, "\"halo\": 48", "\"halo\": 47"), "multiples of the stride")
    }

    @Test
    fun aTableThatDiffersIsRefused() {
        val first = "\"member\": 0}"
        refuses(edited(GoldenTable.FILE, first, "\"member\": 1}"), "selection is not the manifest's")
        refuses(edited(GoldenTable.FILE, "\"write\": [[0, ", "\"write\": [[1, "), "tiling[0]", "differently")
        refuses(edited(GoldenTable.FILE, "\"a_float32\": 0.0002", "\"a_float32\": 0.0003"), "noise[")
        refuses(edited(GoldenTable.FILE, "\"scale\": ", "\"scale\": 1"), "k_sigma[0]")
        refuses(edited(GoldenTable.FILE, "\"padded\": [[0, 1", "\"padded\": [[1, 1"), "packing[0]")
        refuses(edited(GoldenTable.FILE, "\"dn\": 0}", "\"dn\": 1}"), "dn[0]")
        refuses(edited(GoldenTable.FILE, "\"white\": ", "\"whit\": "), "dn[0].whit is unknown")
        refuses(ChangedFiles(mapOf(GoldenTable.FILE to null), sums = true), "earlier fa-mobile", "export it again")
    }

    private fun refuses(files: BundleFiles, vararg parts: String) {
        val message = assertFailsWith<UserMessage> { Bundle.open(files) }.message.orEmpty()
        for (part in parts) assertContains(message, part)
    }
}
