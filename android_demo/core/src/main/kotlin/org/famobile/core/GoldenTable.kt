package org.famobile.core

/**
 * `golden/table.json`: what the code around the artifact must compute, replayed row by row. Python
 * wrote it with the functions of its own session; equality is exact.
 */
object GoldenTable {
    const val FILE = "golden/table.json"
    private const val SCHEMA = 1

    /** How many rows each section has, after all of them came out right. */
    class Replayed(val rows: Map<String, Int>)

    /** @throws UserMessage when the table is missing, wrong, or not what this code computes. */
    fun replay(files: BundleFiles, manifest: Manifest): Replayed {
        if (FILE !in files.names()) {
            throw UserMessage("the bundle has no $FILE: an earlier fa-mobile exported it; export it again")
        }
        return inFile(FILE) { check(files.text(FILE), manifest) }
    }

    private fun check(text: String, manifest: Manifest): Replayed {
        val table = Fields.of(JsonReader.parse(text))
        val version = table.int("schema_version")
        if (version != SCHEMA) throw UserMessage("it has schema version $version, this app reads $SCHEMA")
        table.only("schema_version", "bundle", "selector", "vectors", *SECTIONS.keys.toTypedArray())
        val selector = if (manifest.takesNoise) "noise-profile" else "gain"
        if (table.string("bundle") != manifest.name || table.string("selector") != selector) {
            throw UserMessage("it belongs to ${table.string("bundle")}, not to ${manifest.name}")
        }
        if (table.strings("vectors") != manifest.golden.map { it.name }) {
            throw UserMessage("its vectors are not the manifest's")
        }
        val listed = table.objects("selection").map { it.number("value") to it.int("member") }
        if (listed != manifest.selection) throw UserMessage("its selection is not the manifest's")
        return Replayed(SECTIONS.mapValues { (section, replay) -> replaySection(table, section, replay, manifest) })
    }

    private fun replaySection(
        table: Fields, section: String, replay: (Fields, Manifest) -> Boolean, manifest: Manifest,
    ): Int {
        val rows = table.objects(section)
        if (rows.isEmpty()) throw UserMessage("$section is empty")
        val wrong = rows.indices.filterNot { replay(rows[it], manifest) }
        if (wrong.isNotEmpty()) {
            throw UserMessage("${wrong.joinToString { "$section[$it]" }}: computed differently here")
        }
        return rows.size
    }

    private val SECTIONS: Map<String, (Fields, Manifest) -> Boolean> = linkedMapOf(
        "selection" to ::selection, "noise" to ::noise, "k_sigma" to ::kSigma, "packing" to ::packing,
        "tiling" to ::tiling, "dn" to ::dn,
    )

    private fun selection(row: Fields, manifest: Manifest): Boolean {
        row.only("value", "a", "member")
        val value = row.number("value").toFloat()
        val a = if (manifest.takesNoise) value else manifest.sensor.aFloat32(value)
        return a.toDouble() == row.number("a") && selectMember(a, manifest.edges) == row.int("member")
    }

    private fun noise(row: Fields, manifest: Manifest): Boolean {
        row.only("gain", "a_float32", "a", "b")
        val gain = row.number("gain")
        return manifest.sensor.noise(gain) == Noise(row.number("a"), row.number("b")) &&
            manifest.sensor.aFloat32(gain.toFloat()).toDouble() == row.number("a_float32")
    }

    @Suppress("UNUSED_PARAMETER") // the sections have one signature
    private fun kSigma(row: Fields, manifest: Manifest): Boolean {
        row.only("x", "a", "b", "anchor_a", "anchor_b", "scale", "offset", "z", "back")
        val step = KSigma.between(
            Noise(row.number("a"), row.number("b")), Noise(row.number("anchor_a"), row.number("anchor_b")),
        )
        val z = step.forward(row.number("x"))
        return step == KSigma(row.number("scale"), row.number("offset")) && z == row.number("z") &&
            step.inverse(z) == row.number("back")
    }

    private fun packing(row: Fields, manifest: Manifest): Boolean {
        row.only("cfa", "multiple", "minimum", "mosaic", "origin", "padded", "packed")
        val samples = row.rows("mosaic")
        val flat = samples.flatten().map { it.toShort() }.toShortArray()
        val mosaic = Mosaic(samples.size, samples.first().size, Cfa.named(row.string("cfa")), flat)
        val padding = Padding(mosaic.height, mosaic.width, mosaic.cfa, row.int("multiple", 2), pair(row, "minimum"))
        val padded = padding.rows.map { y -> padding.cols.map { x -> mosaic[y, x] } }
        // The planes are three lists deep, and equal as doubles just where they are as whole numbers.
        val packed = pack(mosaic, padding).map { plane -> plane.map { line -> line.map { it.toDouble() } } }
        return pair(row, "origin", 0) == padding.originRow to padding.originCol &&
            row.rows("padded") == padded && row.list("packed") == packed
    }

    private fun tiling(row: Fields, manifest: Manifest): Boolean {
        row.only("height", "width", "cfa", "stride", "halo", "tile", "minimum", "padded", "origin", "read", "write")
        val stride = row.int("stride", 2)
        val padding = Padding(
            row.int("height", 2), row.int("width", 2), Cfa.named(row.string("cfa")), stride, pair(row, "minimum"),
        )
        val plan = FramePlan(padding, pair(row, "tile"), row.int("halo"), stride)
        val read = plan.tiles.map { listOf(it.rows.start, it.rows.stop, it.cols.start, it.cols.stop) }
        val write = plan.tiles.map { plan.written(it).run { listOf(top, bottom, left, right) } }
        return pair(row, "padded") == padding.height to padding.width &&
            pair(row, "origin", 0) == padding.originRow to padding.originCol &&
            row.rows("read") == read && row.rows("write") == write
    }

    private fun pair(row: Fields, name: String, least: Int = 2): Pair<Int, Int> =
        row.ints(name, 2, least).let { it[0] to it[1] }

    private fun dn(row: Fields, manifest: Manifest): Boolean {
        row.only("value", "white", "dn")
        return wholeDn(row.number("value").toFloat(), row.number("white")) == row.int("dn")
    }
}
