package org.famobile.app

import android.app.Activity
import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.text.InputType
import android.view.View
import android.view.WindowManager
import android.widget.Button
import android.widget.EditText
import android.widget.ProgressBar
import android.widget.TextView
import org.famobile.core.Work
import java.util.concurrent.Executors

/** Noisy beside denoised, and the buttons to everything else. */
class MainActivity : Activity(), Work.Watcher {
    private val desk by lazy { (application as DemoApplication).desk }
    private val drawing = Executors.newSingleThreadExecutor()
    private lateinit var compare: CompareView
    private lateinit var status: TextView
    private lateinit var progress: ProgressBar
    private lateinit var cancel: Button
    private var renderer: Renderer? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        compare = viewAt(R.id.compare)
        status = viewAt(R.id.status)
        progress = viewAt(R.id.progress)
        cancel = viewAt(R.id.cancel)
        cancel.setOnClickListener { desk.work.cancel() }
        click(R.id.capture) { startActivityForResult(Intent(this, CameraActivity::class.java), TAKE) }
        click(R.id.open) { choose(Intent.ACTION_OPEN_DOCUMENT, "*/*", null, OPEN) }
        click(R.id.save) { chooseWhereToSave() }
        click(R.id.gain) { askGain() }
        click(R.id.self_test) { desk.work.start(desk::selfTest, desk.work::message) }
        click(R.id.benchmark) { askBenchmark() }
        compare.onDetail = { area ->
            renderer?.let { render({ it.detail(area) }, compare::showDetail) }
        }
        desk.denoised?.let(::show)
    }

    private fun click(id: Int, action: () -> Unit) = viewAt<Button>(id).setOnClickListener { action() }

    override fun onStart() {
        super.onStart()
        desk.work.watcher = this
    }

    override fun onStop() {
        desk.work.watcher = null // the job goes on, its result waits on the desk
        super.onStop()
    }

    override fun onDestroy() {
        drawing.shutdown()
        super.onDestroy()
    }

    override fun busy(busy: Boolean) {
        val shown = if (busy) View.VISIBLE else View.INVISIBLE
        progress.visibility = shown
        cancel.visibility = shown
        progress.isIndeterminate = true
        // A phone that sleeps is throttled: keep the screen on while something is timed.
        val flag = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (busy) window.addFlags(flag) else window.clearFlags(flag)
        if (!busy) desk.denoised?.takeIf { it !== shown() }?.let(::show)
    }

    override fun progress(done: Int, total: Int) {
        progress.isIndeterminate = false
        progress.max = total
        progress.progress = done
    }

    override fun message(text: String) {
        status.text = text
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (result != RESULT_OK) return
        val uri = data?.data
        when (request) {
            TAKE -> desk.shot?.let(::denoise)
            OPEN -> if (uri != null) open(uri)
            SAVE -> if (uri != null) saveDng(uri)
            REPORT -> if (uri != null) saveReport(uri)
        }
    }

    private fun open(uri: Uri) = desk.work.start({ desk.openDng(uri) }) { shot ->
        desk.shot = shot
        denoise(shot)
    }

    private fun denoise(shot: Shot) = desk.work.start({ desk.denoise(shot, it) }) { denoised ->
        desk.denoised = denoised
        desk.work.message(denoised.summary)
        desk.work.watcher?.busy(false) // whichever activity is there now shows it
    }

    private var current: Denoised? = null

    private fun shown() = current

    private fun show(denoised: Denoised) {
        current = denoised
        val drawn = Renderer(denoised)
        renderer = drawn
        render({ drawn.overview(OVERVIEW) }) { compare.show(it, denoised.shot.rotation) }
    }

    private fun render(draw: () -> Pictures, use: (Pictures) -> Unit) {
        drawing.execute {
            try {
                val pictures = draw()
                runOnUiThread { use(pictures) }
            } catch (error: OutOfMemoryError) {
                runOnUiThread { message("There is not enough memory to show the picture; it can still be saved.") }
            }
        }
    }

    private fun chooseWhereToSave() {
        val denoised = desk.denoised ?: return message("There is nothing to save yet: take a capture, or open a DNG.")
        choose(Intent.ACTION_CREATE_DOCUMENT, "image/x-adobe-dng", "${denoised.shot.name}-denoised.dng", SAVE)
    }

    private fun saveDng(uri: Uri) {
        val denoised = desk.denoised ?: return
        desk.work.start({ desk.save(uri) { denoised.shot.write(denoised.mosaic, it) } }) { desk.work.message("Saved.") }
    }

    private fun saveReport(uri: Uri) {
        val report = desk.report ?: return
        desk.work.start({ desk.save(uri) { it.write(report.toByteArray()) } }) { desk.work.message("Report saved.") }
    }

    private fun choose(action: String, type: String, title: String?, request: Int) {
        val intent = Intent(action).addCategory(Intent.CATEGORY_OPENABLE).setType(type)
        if (title != null) intent.putExtra(Intent.EXTRA_TITLE, title)
        try {
            startActivityForResult(intent, request)
        } catch (error: ActivityNotFoundException) {
            message("This phone has no app to choose files with; install one.")
        }
    }

    private fun askGain() {
        val field = EditText(this)
        field.inputType = InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_FLAG_DECIMAL
        desk.gain?.let { field.setText(it.toString()) }
        AlertDialog.Builder(this)
            .setTitle("Gain of the capture (1 = base gain; empty: from its ISO)")
            .setView(field)
            .setNegativeButton(android.R.string.cancel, null)
            .setPositiveButton(android.R.string.ok) { _, _ ->
                desk.gain = field.text.toString().toDoubleOrNull()?.takeIf { it > 0 }
                desk.shot?.let(::denoise)
            }.show()
    }

    private fun askBenchmark() {
        AlertDialog.Builder(this)
            .setTitle("Benchmark")
            .setItems(arrayOf("12 rounds", "Sustained for 60 s", "Save the last report (JSON)")) { _, which ->
                when (which) {
                    0 -> time(0)
                    1 -> time(SUSTAINED_S)
                    else -> if (desk.report == null) message("Run a benchmark first.") else
                        choose(Intent.ACTION_CREATE_DOCUMENT, "application/json", "benchmark.json", REPORT)
                }
            }.show()
    }

    private fun time(seconds: Int) = desk.work.start({ desk.benchmark(seconds, it) }, desk.work::message)

    private companion object {
        const val TAKE = 1
        const val OPEN = 2
        const val SAVE = 3
        const val REPORT = 4
        const val SUSTAINED_S = 60
        const val OVERVIEW = 2048
    }
}
