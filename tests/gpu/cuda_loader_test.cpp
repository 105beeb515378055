// What a user is told about the GPU: by the loader when there is no module, by the module otherwise.
#include <QtTest>

#include "kernels/device.h"

using namespace hearth;

class CudaLoaderTest : public QObject {
  Q_OBJECT

 private slots:
  // Passes with and without a GPU, a driver and the module: each has its own honest outcome.
  void opensAGpuOrSaysWhyNot() {
    const auto device = openCudaDevice();
    if (device) {
      QCOMPARE((*device)->info().kind, DeviceKind::cuda);
      QVERIFY((*device)->info().memory_total > 0);
      return;
    }
    const std::string& why = device.error().message;
    qInfo("%s", why.c_str());
    QCOMPARE(device.error().code, ErrorCode::device);
#ifdef HEARTH_HAS_CUDA_MODULE
    QVERIFY2(why.find("not installed") == std::string::npos ||
                 why.find("libcuda.so.1") != std::string::npos, why.c_str());
    QVERIFY2(why.find("cannot be loaded") == std::string::npos, why.c_str());
#else
    QVERIFY2(why.find("libhearth_kernels_cuda.so") != std::string::npos, why.c_str());
#endif
  }

  void saysTheSameTwice() {
    const auto first = openCudaDevice();
    const auto second = openCudaDevice();
    QCOMPARE(first.has_value(), second.has_value());
    if (!first) QCOMPARE(first.error().message, second.error().message);
  }
};

QTEST_GUILESS_MAIN(CudaLoaderTest)
#include "cuda_loader_test.moc"
