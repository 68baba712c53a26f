package org.famobile.app

import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureFailure
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.TotalCaptureResult
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import android.view.Surface
import org.famobile.core.UserMessage

/**
 * A camera that gives RAW_SENSOR frames with their metadata: viewfinder, and one shot at a time.
 *
 * @param failed told in words what went wrong; the camera is closed then.
 */
class RawCamera(private val manager: CameraManager, private val failed: (String) -> Unit) {
    /** What a RAW frame and its own metadata were, once both are there. */
    private class Pending(val done: (Shot) -> Unit) {
        var image: Image? = null
        var result: TotalCaptureResult? = null
    }

    private val id: String = rawCameraId(manager)
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val characteristics = manager.getCameraCharacteristics(id)
    private val reader: ImageReader
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var viewfinder: Surface? = null
    private var pending: Pending? = null
    private var closed = false

    /** The activity is upright, so this is all by which the sensor's picture is turned. */
    private val rotation = characteristics.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0

    private val previewSize: Size

    /** Of the viewfinder's frames, turned as the upright activity shows them. */
    val uprightSize: Size
        get() = if (rotation % 180 == 0) previewSize else Size(previewSize.height, previewSize.width)

    init {
        val map = characteristics.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?: throw UserMessage(NO_RAW)
        val raw = map.getOutputSizes(ImageFormat.RAW_SENSOR)?.maxByOrNull { it.width.toLong() * it.height }
            ?: throw UserMessage(NO_RAW)
        previewSize = map.getOutputSizes(SurfaceTexture::class.java)
            ?.filter { it.width <= 1920 && it.height <= 1440 }
            ?.maxByOrNull { it.width * it.height } ?: raw
        reader = ImageReader.newInstance(raw.width, raw.height, ImageFormat.RAW_SENSOR, 2)
        reader.setOnImageAvailableListener({ arrived(it.acquireNextImage(), null) }, handler)
    }

    /** @throws SecurityException without the permission. */
    fun open(texture: SurfaceTexture, ready: () -> Unit) {
        texture.setDefaultBufferSize(previewSize.width, previewSize.height)
        viewfinder = Surface(texture)
        guarded {
            manager.openCamera(id, object : CameraDevice.StateCallback() {
                override fun onOpened(camera: CameraDevice) {
                    device = camera
                    if (closed) camera.close() else guarded { startSession(camera, ready) }
                }

                override fun onDisconnected(camera: CameraDevice) = fail("another app took the camera; open it again")

                override fun onError(camera: CameraDevice, error: Int) =
                    fail("the camera failed (error $error); open it again")
            }, handler)
        }
    }

    private fun startSession(camera: CameraDevice, ready: () -> Unit) {
        val surface = checkNotNull(viewfinder)
        camera.createCaptureSession(listOf(surface, reader.surface), object : CameraCaptureSession.StateCallback() {
            override fun onConfigured(configured: CameraCaptureSession) {
                session = configured
                guarded {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    request.addTarget(surface)
                    configured.setRepeatingRequest(request.build(), null, handler)
                    ready()
                }
            }

            override fun onConfigureFailed(configured: CameraCaptureSession) =
                fail("the camera gives no RAW beside its viewfinder; use another phone, or open a DNG")
        }, handler)
    }

    /** Take one RAW frame; [done] gets it on the camera's thread. */
    fun shoot(done: (Shot) -> Unit) {
        handler.post { guarded { request(done) } }
    }

    private fun request(done: (Shot) -> Unit) {
        val camera = device ?: return
        if (pending != null) return
        pending = Pending(done)
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_STILL_CAPTURE)
        request.addTarget(reader.surface)
        // DngCreator writes it as the lens's opcodes.
        request.set(
            CaptureRequest.STATISTICS_LENS_SHADING_MAP_MODE, CaptureRequest.STATISTICS_LENS_SHADING_MAP_MODE_ON,
        )
        session?.capture(request.build(), object : CameraCaptureSession.CaptureCallback() {
            override fun onCaptureCompleted(s: CameraCaptureSession, r: CaptureRequest, result: TotalCaptureResult) =
                arrived(null, result)

            override fun onCaptureFailed(s: CameraCaptureSession, r: CaptureRequest, failure: CaptureFailure) =
                fail("the camera dropped the frame (reason ${failure.reason}); take it again")
        }, handler)
    }

    /** The frame and its metadata come in either order. */
    private fun arrived(image: Image?, result: TotalCaptureResult?) {
        val waiting = pending
        if (waiting == null) {
            image?.close()
            return
        }
        image?.let { waiting.image = it }
        result?.let { waiting.result = it }
        val frame = waiting.image ?: return
        val metadata = waiting.result ?: return
        pending = null
        try {
            val capture = frame.use { captureOf(it, characteristics, metadata) }
            waiting.done(CameraShot(capture, characteristics, metadata, rotation))
        } catch (error: UserMessage) {
            fail(error.message.orEmpty())
        } catch (error: OutOfMemoryError) {
            fail("there is not enough memory for a frame; close other apps")
        }
    }

    fun close() {
        handler.post {
            closed = true
            session?.close()
            device?.close()
            pending?.image?.close()
            pending = null
            reader.close()
            viewfinder?.release()
            thread.quitSafely()
        }
    }

    private fun fail(message: String) {
        if (closed) return
        close()
        failed(message)
    }

    private fun guarded(work: () -> Unit) = try {
        work()
    } catch (error: CameraAccessException) {
        fail("the camera cannot be used (${error.message}); close other camera apps and try again")
    } catch (error: IllegalStateException) {
        fail("the camera was closed; open it again") // between two callbacks, by another app
    }

    companion object {
        private const val NO_RAW = "no camera of this phone gives RAW frames; open a DNG instead"

        /** The first back camera with RAW, or any other with it. */
        private fun rawCameraId(manager: CameraManager): String {
            val able = manager.cameraIdList.filter { id ->
                val capabilities = manager.getCameraCharacteristics(id)
                    .get(CameraCharacteristics.REQUEST_AVAILABLE_CAPABILITIES)
                capabilities?.contains(CameraCharacteristics.REQUEST_AVAILABLE_CAPABILITIES_RAW) == true
            }
            val back = able.firstOrNull {
                manager.getCameraCharacteristics(it).get(CameraCharacteristics.LENS_FACING) ==
                    CameraCharacteristics.LENS_FACING_BACK
            }
            return back ?: able.firstOrNull() ?: throw UserMessage(NO_RAW)
        }
    }
}
