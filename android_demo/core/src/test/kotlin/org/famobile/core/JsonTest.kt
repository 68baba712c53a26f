package org.famobile.core

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class JsonTest {
    @Test
    fun readsWhatPythonWrites() {
        val text = """{"a": [1, -2.5e-7, true, null], "b": {"c": "\u00e4\n\"\\"}, "d": {}, "e": []}"""
        val expected = mapOf(
            "a" to listOf(1.0, -2.5e-7, true, null), "b" to mapOf("c" to "ä\n\"\\"),
            "d" to emptyMap<String, Any?>(), "e" to emptyList<Any?>(),
        )
        assertEquals<Any?>(expected, JsonReader.parse(text))
        assertEquals<Any?>(expected, JsonReader.parse(toJson(expected)))
    }

    @Test
    fun numbersAreExact() {
        for (number in listOf(0.1, 2.8284268379211426, 1.0000000031710769e-30, Double.MIN_VALUE)) {
            assertEquals<Any?>(number, JsonReader.parse(toJson(number)))
        }
    }

    @Test
    fun refusesWhatIsNotJson() {
        val wrong = listOf(
            "", "{", "[1,]", "{\"a\":1,\"a\":2}", "NaN", "01", "1.", "+1", "[1] 2", "\"\t\"", "'a'", "1e999",
            "\"\\x\"", "\"\\u12\"", "tru", "{a:1}", "\"open", "[".repeat(99) + "]".repeat(99),
        )
        for (text in wrong) assertFailsWith<UserMessage>(text) { JsonReader.parse(text) }
    }
}
