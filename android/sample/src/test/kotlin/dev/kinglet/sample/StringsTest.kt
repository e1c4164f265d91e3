package dev.kinglet.sample

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import javax.xml.parsers.DocumentBuilderFactory

class StringsTest {
    private val english = strings("values")
    private val german = strings("values-de")

    private fun strings(folder: String): Map<String, Element> {
        val document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(Sample.file("src/main/res/$folder/strings.xml"))
        return listOf("string", "plurals").flatMap { tag ->
            val found = document.getElementsByTagName(tag)
            (0 until found.length).map { found.item(it) as Element }
        }.filter { it.getAttribute("translatable") != "false" }.associateBy { it.getAttribute("name") }
    }

    private fun places(text: String) = Regex("%(\\d)\\$[sd]").findAll(text).map { it.value }.toSet()

    @Test
    fun everyStringIsThereInGerman() {
        assertTrue(english.size > 100)
        assertEquals(english.keys, german.keys)
    }

    @Test
    fun bothSayTheSameThings() = english.forEach { (name, element) ->
        assertEquals(name, places(element.textContent), places(german.getValue(name).textContent))
        assertEquals(name, element.tagName, german.getValue(name).tagName)
    }

    @Test
    fun everyStringIsUsed() {
        val code = Sample.file("src").walk().filter { it.extension in setOf("kt", "xml") && "strings.xml" !in it.name }
            .joinToString("\n") { it.readText() }
        val unused = english.keys.filter { !Regex("(R\\.(string|plurals)\\.|@string/)$it\\b").containsMatchIn(code) }
        assertEquals(emptyList<String>(), unused)
    }
}
