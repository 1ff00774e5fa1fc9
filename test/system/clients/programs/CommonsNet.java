import java.io.*;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.*;
import javax.net.ssl.*;
import org.apache.commons.net.ftp.*;

/** Apache Commons Net as it is, without the changes by which some programs make it resume sessions. Reads lines: key=value, then one step a line, split by tabs. */
public class CommonsNet {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        Map<String, String> job = new HashMap<>();
        List<String[]> steps = new ArrayList<>();
        for (String line; (line = in.readLine()) != null; ) {
            if (line.contains("\t")) steps.add(line.split("\t"));
            else job.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (InputStream ca = new FileInputStream(job.get("ca"))) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(ca));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        FTPSClient ftp = new FTPSClient(job.get("mode").equals("implicit"), context);
        ftp.setEnabledProtocols(new String[] {"TLSv" + job.get("version")});
        ftp.setEndpointCheckingEnabled(true);
        ftp.connect(job.get("host"), Integer.parseInt(job.get("port")));
        check(ftp, ftp.login(job.get("user"), job.get("password")));
        ftp.execPBSZ(0);
        ftp.execPROT("P");
        ftp.enterLocalPassiveMode();
        check(ftp, ftp.setFileType(FTP.BINARY_FILE_TYPE));
        for (String[] step : steps) perform(ftp, step);
        ftp.logout();
        ftp.disconnect();
    }

    static void check(FTPClient ftp, boolean ok) throws IOException {
        if (!ok) throw new IOException(ftp.getReplyString());
    }

    static void perform(FTPSClient ftp, String[] step) throws IOException {
        String first = step[1];
        switch (step[0]) {
            case "make-folder": check(ftp, ftp.makeDirectory(first)); break;
            case "list": for (FTPFile file : ftp.listFiles(first)) System.out.println(file.getName() + " " + file.getSize()); check(ftp, FTPReply.isPositiveCompletion(ftp.getReplyCode())); break;
            case "upload": try (InputStream in = new FileInputStream(first)) { check(ftp, ftp.storeFile(step[2], in)); } break;
            case "download": try (OutputStream out = new FileOutputStream(step[2])) { check(ftp, ftp.retrieveFile(first, out)); } break;
            case "resume-download": ftp.setRestartOffset(Files.size(Path.of(step[2]))); try (OutputStream out = new FileOutputStream(step[2], true)) { check(ftp, ftp.retrieveFile(first, out)); } break;
            case "resume-upload": {
                check(ftp, FTPReply.isPositiveCompletion(ftp.sendCommand("SIZE", step[2]))); // getSize() came with 3.7
                long there = Long.parseLong(ftp.getReplyString().substring(4).trim());
                try (InputStream in = new FileInputStream(first)) { in.skip(there); ftp.setRestartOffset(there); check(ftp, ftp.storeFile(step[2], in)); }
                break;
            }
            case "rename": check(ftp, ftp.rename(first, step[2])); break;
            case "habits": {
                FTPFile facts = ftp.mlistFile(first);
                System.out.println("MLST " + Path.of(facts.getName()).getFileName() + " " + facts.getSize());
                String folder = first.substring(0, first.lastIndexOf('/'));
                for (String name : ftp.listNames(folder)) System.out.println("NLST " + name);
                ftp.changeWorkingDirectory(folder);
                String[] flagged = ftp.listNames("-a");
                if (flagged == null || flagged.length == 0) throw new IOException("NLST -a found nothing");
                ftp.setListHiddenFiles(true);
                for (FTPFile file : ftp.listFiles()) System.out.println("hidden " + file.getName());
                break;
            }
            case "delete": check(ftp, ftp.deleteFile(first)); break;
        }
    }
}
