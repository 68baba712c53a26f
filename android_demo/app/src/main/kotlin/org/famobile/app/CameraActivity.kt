package org.famobile.app

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.Matrix
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraManager
import android.os.Bundle
import android.util.Size
import android.view.TextureView
import android.widget.Button
import android.widget.TextView
import org.famobile.core.UserMessage

/** The viewfinder; a capture is left on the desk and the activity ends with RESULT_OK. */
class CameraActivity : Activity(), TextureView.SurfaceTextureListener {
    private lateinit var view: TextureView
    private lateinit var message: TextView
    private lateinit var shutter: Button
    private var camera: RawCamera? = null
    private var resumed = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.camera)
        view = viewAt(R.id.preview)
        message = viewAt(R.id.message)
        shutter = viewAt(R.id.shutter)
        view.surfaceTextureListener = this
        shutter.setOnClickListener { shoot() }
        if (!mayUseCamera()) requestPermissions(arrayOf(Manifest.permission.CAMERA), PERMISSION)
    }

    override fun onResume() {
        super.onResume()
        resumed = true
        startCamera()
    }

    override fun onPause() {
        resumed = false
        stopCamera() // the camera belongs to whoever is in front
        super.onPause()
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<out String>, results: IntArray) {
        if (mayUseCamera()) startCamera() else message.text =
            "Without the permission to use the camera no capture can be taken. Allow it in the system's settings " +
                "for this app, or go back and open a DNG."
    }

    private fun mayUseCamera() = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun startCamera() {
        val texture = view.surfaceTexture
        if (!resumed || camera != null || texture == null || !mayUseCamera()) return
        try {
            camera = RawCamera(getSystemService(Context.CAMERA_SERVICE) as CameraManager, ::failed).also {
                fit(it.uprightSize)
                it.open(texture) { runOnUiThread { shutter.isEnabled = true } }
            }
        } catch (error: UserMessage) {
            message.text = error.message
        } catch (error: Exception) { // CameraAccessException, or a camera that lies about itself
            message.text = "The camera cannot be used (${error.message}); close other camera apps and try again."
        }
    }

    /** Keep the viewfinder's shape: the view would stretch its frames to its own. */
    private fun fit(frame: Size) {
        val (width, height) = view.width.toFloat() to view.height.toFloat()
        val scale = minOf(width / frame.width, height / frame.height)
        val matrix = Matrix()
        matrix.setScale(scale * frame.width / width, scale * frame.height / height, width / 2, height / 2)
        view.setTransform(matrix)
    }

    private fun stopCamera() {
        shutter.isEnabled = false
        camera?.close()
        camera = null
    }

    private fun failed(text: String) = runOnUiThread {
        message.text = text
        shutter.isEnabled = false
        camera = null
    }

    private fun shoot() {
        shutter.isEnabled = false
        message.text = ""
        camera?.shoot { shot ->
            runOnUiThread {
                (application as DemoApplication).desk.shot = shot
                setResult(RESULT_OK)
                finish()
            }
        }
    }

    override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) = startCamera()

    override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = Unit

    override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
        stopCamera()
        return true
    }

    override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit

    private companion object {
        const val PERMISSION = 1
    }
}
